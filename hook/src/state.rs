//! The state of the hook, which is set up at load and only read afterwards.
#![expect(unsafe_code, reason = "one static, written once before it is published")]

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{
    AtomicBool, AtomicPtr,
    Ordering::{AcqRel, Acquire, Release},
};

use readhook_core::{DEFAULT_WORDS, Every, FdTable, Mode, Scanner, Words};
use readhook_telemetry::Writer;

use crate::log::Log;
use crate::settings::{Settings, complain};
use crate::upstream::Upstream;
use crate::{errno, mapping, next};

/// The active hook.
pub(crate) struct Hook {
    pub(crate) mode: Mode,
    pub(crate) table: FdTable<'static>,
    pub(crate) scanner: Scanner<'static>,
    pub(crate) telemetry: Option<Writer>,
    /// True if the hook evaluates the result of a receive call: searches, delays or counts the payload.
    pub(crate) looks: bool,
    /// True if telemetry has room for records. Records need clock readings.
    pub(crate) records: bool,
    pub(crate) log: Log,
    /// State of mode `upstream`; `None` in other modes.
    pub(crate) upstream: Option<Upstream>,
    pub(crate) delay_ns: u64,
    pub(crate) delay_every: Every,
}

struct Storage(UnsafeCell<MaybeUninit<Hook>>);

// SAFETY: `start` writes it once before it publishes the address in ACTIVE; all reads go through that address.
unsafe impl Sync for Storage {}

static STORAGE: Storage = Storage(UnsafeCell::new(MaybeUninit::uninit()));
/// Address of the hook: null if the hook is off, [`NOT_STARTED`] before the set-up has ended.
static ACTIVE: AtomicPtr<Hook> = AtomicPtr::new(NOT_STARTED);
/// An address that no hook can have.
const NOT_STARTED: *mut Hook = ptr::without_provenance_mut(1);
static STARTED: AtomicBool = AtomicBool::new(false);

#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = start;

/// Returns the hook, `None` if calls are only passed on. Sets the hook up if that has not happened.
#[inline]
pub(crate) fn active() -> Option<&'static Hook> {
    let hook = ACTIVE.load(Acquire);
    if hook == NOT_STARTED {
        return first();
    }
    // SAFETY: the address is null or that of the initialised STORAGE, which is never written again.
    unsafe { hook.as_ref() }
}

#[cold]
fn first() -> Option<&'static Hook> {
    start();
    let hook = ACTIVE.load(Acquire);
    // Another thread may have started the set-up and not finished it.
    if hook == NOT_STARTED {
        return None;
    }
    // SAFETY: the address is null or that of the initialised STORAGE, which is never written again.
    unsafe { hook.as_ref() }
}

/// Sets the hook up. Runs at load, or at the first call if that comes earlier. Calls of other threads and of signal
/// handlers during the set-up are passed on.
extern "C" fn start() {
    if STARTED.swap(true, AcqRel) {
        return;
    }
    errno::preserved(|| {
        next::resolve();
        let hook = set_up().map_or(ptr::null_mut(), |hook| {
            let place = STORAGE.0.get();
            // SAFETY: STARTED lets one thread in once, and nobody reads the place before the store below.
            unsafe { (*place).write(hook) }
        });
        ACTIVE.store(hook, Release);
    });
}

fn set_up() -> Option<Hook> {
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(line) => {
            complain(line);
            return None;
        }
    };
    if settings.mode == Mode::Off {
        return None;
    }
    let Some(words) = words(&settings) else {
        complain(
            b"readhook: inert: READHOOK_WORDS: not a word file of this version; make one by `cargo xtask words`\n",
        );
        return None;
    };
    let telemetry = settings.telemetry.and_then(|path| {
        let writer = mapping::telemetry(path);
        if writer.is_none() {
            complain(
                b"readhook: READHOOK_TELEMETRY: not an existing telemetry file of this version; going on without\n",
            );
        }
        writer
    });
    // Mode forward needs the fd table only if calls are counted.
    if settings.mode == Mode::Forward && telemetry.is_none() {
        return None;
    }
    let Some(entries) = mapping::fd_entries() else {
        complain(b"readhook: inert: no memory for the descriptor table\n");
        return None;
    };
    if let Some(writer) = &telemetry {
        writer.attach(settings.mode as u8);
    }
    Some(Hook {
        mode: settings.mode,
        table: FdTable::new(entries),
        looks: settings.mode.scans() || settings.mode == Mode::Delay || telemetry.is_some(),
        records: telemetry.is_some_and(|writer| writer.capacity() > 0),
        telemetry,
        scanner: match settings.filter {
            Some(filter) => Scanner::with(words, filter),
            None => Scanner::new(words),
        },
        log: Log::open(
            settings
                .log
                .filter(|_| matches!(settings.mode, Mode::Log | Mode::Block)),
        ),
        upstream: (settings.mode == Mode::Upstream).then(|| Upstream::new(settings.log)),
        delay_ns: settings.delay_ns,
        delay_every: Every::new(settings.delay_every),
    })
}

/// Returns the words of the file that the environment names, else the library's own. `None` if the file is not a word
/// file.
fn words(settings: &Settings) -> Option<Words<'static>> {
    match settings.words {
        // The build made the library's own words, so they need no validation.
        None => Words::parse(DEFAULT_WORDS).ok(),
        Some(path) => Words::parse(mapping::copy(path)?).and_then(Words::validated).ok(),
    }
}
