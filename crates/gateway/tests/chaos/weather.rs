//! The events during the calls: outages, and reloads.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use crate::config::Configs;
use crate::door::{Doors, State};
use testkit::load::draw::Draw;
use testkit::process::folder::Folder;

/// The length of a stall, which is longer than the gateway's timeouts.
const STALL: Duration = Duration::from_secs(6);

/// Makes each vendor in turn unreachable for a while, without end.
pub(crate) async fn outages(doors: Arc<Doors>, seed: u64, time: Duration) {
    let mut draw = Draw::new(seed ^ 0x646f_6f72);
    let calm = (time / 20).clamp(Duration::from_millis(200), Duration::from_secs(2));
    loop {
        sleep(calm).await;
        let door = (draw.number() % doors.count() as u64) as usize;
        let (state, time) = if draw.chance(25) {
            (State::Stalled, STALL)
        } else {
            (State::Shut, Duration::from_millis(draw.between(100, 1_000)))
        };
        doors.set(door, state);
        sleep(time).await;
        doors.set(door, State::Open);
    }
}

/// Reloads each config in turn, without end; sometimes with two signals at once.
pub(crate) async fn reloads(folder: &Folder, gateway: u32, configs: &Configs, time: Duration) {
    let every = (time / 12).clamp(Duration::from_millis(200), Duration::from_secs(3));
    for number in 1.. {
        sleep(every).await;
        // The file is replaced in one step, because the gateway may be reading.
        let new = folder.write("gateway.toml.new", configs.get(number));
        std::fs::rename(new, folder.path("gateway.toml")).expect("a file in its place");
        for _ in 0..=number % 2 {
            signal(gateway, Signal::HUP);
        }
    }
}

pub(crate) fn signal(gateway: u32, signal: Signal) {
    let id = i32::try_from(gateway).ok().and_then(Pid::from_raw);
    kill_process(id.expect("a process id"), signal).expect("a process that runs");
}
