//! What a process holds stays in it: no core dump, and nobody else of the same user reads its memory.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Forbids core dumps of this process, and debuggers that are not root's. Keys are in its memory, prepared for use, for
/// as long as it runs.
pub(crate) fn keep_secrets_out_of_core_dumps(allowed: bool) {
    if allowed {
        tracing::warn!("core dumps are allowed: one would hold the secrets of the key store");
        return;
    }
    let limited = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Err(error) = limited.and(hidden) {
        tracing::warn!(%error, "core dumps could not be forbidden: one would hold the secrets of the key store");
    }
}
