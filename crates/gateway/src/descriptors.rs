//! The number of file descriptors: each connection takes one.

/// Raises the soft limit to the hard limit, because the usual soft limit is for programs with few
/// connections.
#[cfg(unix)]
pub(crate) fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(
            %error,
            limit = current,
            "the limit of open files can't be raised to the hard limit"
        );
    }
}

/// Returns the maximum number of file descriptors. `None` if there is no limit, or if it's unknown.
#[cfg(unix)]
pub(crate) fn limit() -> Option<usize> {
    use rustix::process::{Resource, getrlimit};

    let limit = getrlimit(Resource::Nofile).current?;
    usize::try_from(limit).ok()
}

#[cfg(not(unix))]
pub(crate) fn raise() {}

#[cfg(not(unix))]
pub(crate) fn limit() -> Option<usize> {
    None
}
