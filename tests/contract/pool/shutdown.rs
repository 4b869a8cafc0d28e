//! A runtime that ends while there are calls.

use std::sync::mpsc;

use http::{Request, StatusCode};
use tower::ServiceExt;

use testkit::gateway::Setup;
use testkit::wait::PATIENCE;

/// Returns when tasks end before they have begun. The function holds its thread until then, so that the following code
/// runs in a runtime that has ended.
fn wait_for_the_end() {
    loop {
        let probe = tokio::spawn(std::future::pending::<()>());
        if probe.is_finished() {
            return;
        }
        probe.abort();
        std::thread::yield_now();
    }
}

#[test]
fn connecting_in_a_runtime_that_has_ended_fails_at_once() {
    // One thread notices the runtime's end while the other thread is held.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let listener = ([127, 0, 0, 1], 9).into();
    let service = Setup::new("http://vendor.test:9").build(listener);
    let (tell, told) = mpsc::channel();
    let (begin, begun) = mpsc::channel();
    runtime.spawn(async move {
        begin.send(()).unwrap();
        wait_for_the_end();
        let call = Request::get("/p/c/x").body(String::new()).unwrap();
        let Ok(answer) = service.oneshot(call).await;
        // A test that has failed by then doesn't read the channel.
        let _ = tell.send(answer.status());
    });
    begun.recv_timeout(PATIENCE).expect("the task begins");
    let (end, ended) = mpsc::channel();
    std::thread::spawn(move || {
        drop(runtime);
        let _ = end.send(());
    });
    let answer = told.recv_timeout(PATIENCE);
    assert_eq!(answer, Ok(StatusCode::BAD_GATEWAY), "the call didn't end");
    let ended = ended.recv_timeout(PATIENCE);
    assert!(ended.is_ok(), "the runtime doesn't end");
}
