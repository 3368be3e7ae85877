//! One timer for all who wait on a worker, to the microsecond: the runtime's own rounds up to whole
//! milliseconds, which would make everybody late by one.
//!
//! Where the system has `timerfd_create(2)`, the earliest due instant is set on one such
//! descriptor; elsewhere the runtime's timer serves.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// Everybody on this worker who waits for an instant. [`Timer::drive`] must run beside them.
#[derive(Debug)]
pub(super) struct Timer {
    /// By due instant and number: a map, so that who waits no longer is taken out at once.
    waiting: RefCell<BTreeMap<(Instant, u64), Waker>>,
    next: Cell<u64>,
    /// What the alarm is set to: never later than the first of `waiting`.
    set_to: Cell<Option<Instant>>,
    alarm: Alarm,
}

/// Becomes ready at its instant, never before; at once when that is past.
#[derive(Debug)]
pub(super) struct Sleep<'a> {
    timer: &'a Timer,
    due: Instant,
    number: u64,
}

impl Timer {
    /// A timer for the runtime that is entered.
    ///
    /// # Errors
    /// When the operating system has no descriptor left.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            waiting: RefCell::default(),
            next: Cell::new(0),
            set_to: Cell::new(None),
            alarm: Alarm::new()?,
        })
    }

    /// Waits until `due`. Dropping the future forgets it.
    pub(super) fn sleep_until(&self, due: Instant) -> Sleep<'_> {
        let number = self.next.get();
        self.next.set(number + 1);
        Sleep { timer: self, due, number }
    }

    /// Wakes whoever is due, for ever.
    ///
    /// # Errors
    /// When the alarm fails, which leaves everybody asleep: the worker must end.
    pub(super) async fn drive(&self) -> io::Result<()> {
        loop {
            self.alarm.rings().await?;
            self.set_to.set(None);
            self.wake_due(Instant::now());
            let first = self.waiting.borrow().first_key_value().map(|(key, _)| key.0);
            if let Some(first) = first {
                self.set(first)?;
            }
        }
    }

    fn wake_due(&self, now: Instant) {
        let mut waiting = self.waiting.borrow_mut();
        while let Some(first) = waiting.first_entry() {
            if first.key().0 > now {
                break;
            }
            first.remove().wake();
        }
    }

    fn set(&self, due: Instant) -> io::Result<()> {
        if self.set_to.get().is_none_or(|set_to| due < set_to) {
            self.alarm.set(due)?;
            self.set_to.set(Some(due));
        }
        Ok(())
    }
}

impl Future for Sleep<'_> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if Instant::now() >= self.due {
            return Poll::Ready(Ok(()));
        }
        let waker = context.waker().clone();
        self.timer.waiting.borrow_mut().insert((self.due, self.number), waker);
        match self.timer.set(self.due) {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.timer.waiting.borrow_mut().remove(&(self.due, self.number));
    }
}

#[cfg(target_os = "linux")]
use precise::Alarm;

#[cfg(target_os = "linux")]
mod precise {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::{Duration, Instant};

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// A descriptor that becomes readable when its instant has come.
    #[derive(Debug)]
    pub(super) struct Alarm(AsyncFd<OwnedFd>);

    impl Alarm {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            // Deprecated for types that may change their descriptor while it is registered, which
            // an `OwnedFd` cannot; the function that replaces it is unsafe.
            #[allow(deprecated)]
            Ok(Self(AsyncFd::with_interest(timer, Interest::READABLE)?))
        }

        /// Relative, since an [`Instant`] does not tell its number: counted by the kernel from a
        /// moment after `now`, so never early.
        pub(super) fn set(&self, due: Instant) -> io::Result<()> {
            let ahead = due.saturating_duration_since(Instant::now());
            // Zero would take the alarm off.
            let ahead = ahead.max(Duration::from_nanos(1));
            let it_value = Timespec::try_from(ahead).map_err(io::Error::other)?;
            let once = Itimerspec { it_interval: Timespec::default(), it_value };
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
            Ok(())
        }

        /// Not read: every expiry is told anew, and setting it takes the last one back.
        pub(super) async fn rings(&self) -> io::Result<()> {
            self.0.readable().await?.clear_ready();
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
use rounded::Alarm;

#[cfg(not(target_os = "linux"))]
mod rounded {
    use std::cell::Cell;
    use std::io;
    use std::time::Instant;

    use tokio::sync::Notify;

    /// The runtime's timer.
    #[derive(Debug, Default)]
    pub(super) struct Alarm {
        due: Cell<Option<Instant>>,
        changed: Notify,
    }

    impl Alarm {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self::default())
        }

        pub(super) fn set(&self, due: Instant) -> io::Result<()> {
            self.due.set(Some(due));
            self.changed.notify_one();
            Ok(())
        }

        pub(super) async fn rings(&self) -> io::Result<()> {
            loop {
                let Some(due) = self.due.get() else {
                    self.changed.notified().await;
                    continue;
                };
                tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => {
                        self.due.set(None);
                        return Ok(());
                    }
                    () = self.changed.notified() => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::time::Duration;

    use tokio::task::{LocalSet, spawn_local};

    use super::*;

    /// Runs `test` beside a timer that is driven.
    fn beside_a_timer<T, F: Future<Output = T>>(test: impl FnOnce(Rc<Timer>) -> F) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            let timer = Rc::new(Timer::new().unwrap());
            let driven = Rc::clone(&timer);
            spawn_local(async move { driven.drive().await });
            test(timer).await
        })
    }

    fn in_ms(ms: u64) -> Instant {
        Instant::now() + Duration::from_millis(ms)
    }

    #[test]
    fn wakes_in_the_order_of_the_instants_and_never_early() {
        let woken = beside_a_timer(async |timer: Rc<Timer>| {
            let woken = Rc::new(RefCell::new(Vec::new()));
            let mut tasks = Vec::new();
            // The alarm is moved forward twice, then has two left behind it.
            for after in [30, 20, 10, 25, 40] {
                let (timer, woken, due) = (Rc::clone(&timer), Rc::clone(&woken), in_ms(after));
                tasks.push(spawn_local(async move {
                    timer.sleep_until(due).await.unwrap();
                    assert!(Instant::now() >= due);
                    woken.borrow_mut().push(after);
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            assert!(timer.waiting.borrow().is_empty());
            Rc::try_unwrap(woken).unwrap().into_inner()
        });
        assert_eq!(woken, [10, 20, 25, 30, 40]);
    }

    #[test]
    fn what_is_past_is_ready_at_once() {
        let timer = beside_a_timer(async |timer: Rc<Timer>| {
            let mut context = Context::from_waker(Waker::noop());
            let mut sleep = timer.sleep_until(Instant::now());
            assert!(matches!(Pin::new(&mut sleep).poll(&mut context), Poll::Ready(Ok(()))));
            drop(sleep);
            timer
        });
        assert!(timer.waiting.borrow().is_empty());
        assert_eq!(timer.set_to.get(), None);
    }

    #[test]
    fn who_waits_no_longer_is_forgotten_and_holds_up_nobody() {
        beside_a_timer(async |timer: Rc<Timer>| {
            let mut context = Context::from_waker(Waker::noop());
            let mut first = timer.sleep_until(in_ms(5));
            let mut never = timer.sleep_until(in_ms(3_600_000));
            assert!(Pin::new(&mut first).poll(&mut context).is_pending());
            assert!(Pin::new(&mut never).poll(&mut context).is_pending());
            assert_eq!(timer.waiting.borrow().len(), 2);
            drop(first);
            drop(never);
            assert!(timer.waiting.borrow().is_empty());
            // The alarm of the one that is gone rings for nobody; the next is set all the same.
            timer.sleep_until(in_ms(10)).await.unwrap();
            timer.sleep_until(in_ms(1)).await.unwrap();
        });
    }

    #[test]
    fn a_thousand_at_one_instant_all_wake() {
        let woken = beside_a_timer(async |timer: Rc<Timer>| {
            let due = in_ms(5);
            let tasks: Vec<_> = (0..1000)
                .map(|_| {
                    let timer = Rc::clone(&timer);
                    spawn_local(async move { timer.sleep_until(due).await })
                })
                .collect();
            let mut woken = 0;
            for task in tasks {
                task.await.unwrap().unwrap();
                woken += 1;
            }
            woken
        });
        assert_eq!(woken, 1000);
    }
}
