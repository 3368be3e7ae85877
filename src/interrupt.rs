//! Ctrl-C and SIGTERM as a flag that long work looks at.
//!
//! The first signal asks for a clean end (temporary files removed, report of what was done);
//! a second one ends the process at once. What may take long to read is read by way of [`Input`].

mod input;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};

pub use input::{Input, Interrupted, read_text};

/// Signals come to the process: what [`Interrupt::install`] made.
static INSTALLED: OnceLock<Interrupt> = OnceLock::new();

/// Whether, and by which signal, the user asked to stop. Cheap to clone and to ask.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// A flag that no signal sets: for library use and tests.
    #[must_use]
    pub fn never() -> Self {
        Self::default()
    }

    /// Listens for SIGINT and SIGTERM from now on.
    ///
    /// # Errors
    /// When the operating system refuses to register a handler.
    pub fn install() -> io::Result<Self> {
        let this = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // The order matters: the second signal must find `armed` set by the first.
            let armed = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, armed.clone())?;
            signal_hook::flag::register(signal, armed)?;
            signal_hook::flag::register_usize(
                signal,
                this.signal.clone(),
                usize::try_from(signal).unwrap_or_default(),
            )?;
        }
        let _ = INSTALLED.set(this.clone());
        Ok(this)
    }

    /// The flag that the signals of this process set, if they are listened for: for the small files
    /// that are read everywhere, which may be pipes in which nothing comes.
    #[must_use]
    pub fn installed() -> Self {
        INSTALLED.get().cloned().unwrap_or_default()
    }

    /// Asks for a stop as SIGINT would.
    pub fn request(&self) {
        self.signal.store(usize::try_from(SIGINT).unwrap_or(2), Ordering::SeqCst);
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }

    /// Fails once a stop was asked for.
    ///
    /// # Errors
    /// [`Interrupted`], as the source of the error.
    pub fn check(&self) -> io::Result<()> {
        match self.signal() {
            Some(signal) => Err(io::Error::other(Interrupted { signal })),
            None => Ok(()),
        }
    }

    /// The signal that asked for it: 2 (SIGINT) or 15 (SIGTERM).
    #[must_use]
    pub fn signal(&self) -> Option<u8> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            signal => u8::try_from(signal).ok(),
        }
    }
}
