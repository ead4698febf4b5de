//! How the sensor shares the processors with what it watches.

/// Makes this thread, and all threads that it starts, a batch worker (`SCHED_BATCH`, sched(7)): it gets its share of the
/// processors, but does not interrupt whoever runs when there is work for it. Under a storm of processes on all
/// processors this is the difference between a tenth and a hundredth of their rate; on a quiet host it is none.
pub(super) fn never_interrupt_others() {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the parameters outlive the call, and 0 is this thread.
    if unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const parameters) } != 0 {
        let error = std::io::Error::last_os_error();
        tracing::warn!("the sensor's threads may interrupt other programs: sched_setscheduler: {error}");
    }
}
