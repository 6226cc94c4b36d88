//! Compares every transition of the fd table, from every state of three descriptors, with a simple model.
use std::sync::atomic::AtomicU32;

use readhook_core::{DEFAULT_WORDS, FdTable, Outcome, Scanner, State, Stream, Words};

/// State of an accepted socket in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    /// No word has begun.
    Nothing,
    /// Half a word has arrived.
    Begun,
    Blocked,
}

const STREAMS: [Option<Half>; 4] = [None, Some(Half::Nothing), Some(Half::Begun), Some(Half::Blocked)];
/// Descriptors within the table.
const INSIDE: [i32; 3] = [0, 1, 2];
const NUMBERS: [i32; 6] = [0, 1, 2, -1, 3, i32::MAX];

type Model = [Option<Half>; 3];

#[derive(Clone, Copy, Debug)]
enum Step {
    Accepted(i32),
    Closed(i32),
    Blocked(i32),
    Advanced(i32, Half, Half),
    Duplicated(i32, i32),
    ClosedRange(i32, i32),
}

fn steps() -> Vec<Step> {
    let mut steps = Vec::new();
    for fd in NUMBERS {
        steps.extend([Step::Accepted(fd), Step::Closed(fd), Step::Blocked(fd)]);
        for (from, to) in [
            (Half::Nothing, Half::Begun),
            (Half::Begun, Half::Nothing),
            (Half::Begun, Half::Begun),
        ] {
            steps.push(Step::Advanced(fd, from, to));
        }
        steps.extend(NUMBERS.map(|new| Step::Duplicated(fd, new)));
        steps.extend(NUMBERS.map(|last| Step::ClosedRange(fd, last)));
    }
    steps
}

/// Returns the state after the first half of a word.
fn begun() -> State {
    match Scanner::new(Words::parse(DEFAULT_WORDS).unwrap()).scan(State::START, b"/.gi") {
        Outcome::Clean(state) => state,
        Outcome::Hit(_) => panic!("a word ends in half a word"),
    }
}

impl Step {
    fn on_table(self, table: &FdTable<'_>) {
        let state = |half| if half == Half::Begun { begun() } else { State::START };
        match self {
            // The map test checks the return value; this test checks the table.
            Self::Accepted(fd) => _ = table.accepted(fd),
            Self::Closed(fd) => table.closed(fd),
            Self::Blocked(fd) => table.block(fd),
            Self::Advanced(fd, from, to) => table.advance(fd, state(from), state(to)),
            Self::Duplicated(old, new) => table.duplicated(old, new),
            // The kernel takes the numbers as unsigned: -1 is the highest one.
            Self::ClosedRange(first, last) => table.closed_range(first.cast_unsigned(), last.cast_unsigned()),
        }
    }

    fn on_model(self, model: &mut Model) {
        let entry = |fd: i32| INSIDE.iter().position(|inside| *inside == fd);
        match self {
            Self::Accepted(fd) => entry(fd).map(|fd| model[fd] = Some(Half::Nothing)),
            Self::Closed(fd) => entry(fd).map(|fd| model[fd] = None),
            Self::Blocked(fd) => entry(fd).map(|fd| model[fd] = model[fd].map(|_| Half::Blocked)),
            Self::Advanced(fd, from, to) => entry(fd)
                .filter(|fd| model[*fd] == Some(from))
                .map(|fd| model[fd] = Some(to)),
            Self::Duplicated(old, new) => {
                let value = entry(old).and_then(|old| model[old]);
                entry(new).filter(|_| old != new).map(|new| model[new] = value)
            }
            Self::ClosedRange(first, last) => {
                let range = first.cast_unsigned()..=last.cast_unsigned();
                for (fd, entry) in (0..).zip(model.iter_mut()) {
                    if range.contains(&fd) {
                        *entry = None;
                    }
                }
                None
            }
        };
    }
}

fn read(table: &FdTable<'_>) -> Model {
    INSIDE.map(|fd| {
        table.stream(fd).map(|stream| match stream {
            Stream::Blocked => Half::Blocked,
            Stream::Open(State::START) => Half::Nothing,
            Stream::Open(state) => {
                assert_eq!(state, begun());
                Half::Begun
            }
        })
    })
}

/// Sets the first descriptors of a table to these states.
fn put(table: &FdTable<'_>, model: Model) {
    for (fd, stream) in INSIDE.into_iter().zip(model) {
        if stream.is_some() {
            table.accepted(fd);
        }
        match stream {
            Some(Half::Begun) => table.advance(fd, State::START, begun()),
            Some(Half::Blocked) => table.block(fd),
            Some(Half::Nothing) | None => {}
        }
    }
}

#[test]
fn every_step_from_every_state() {
    let steps = steps();
    for a in STREAMS {
        for b in STREAMS {
            for c in STREAMS {
                for step in &steps {
                    let before = [a, b, c];
                    let entries: [AtomicU32; 3] = Default::default();
                    let table = FdTable::new(&entries);
                    put(&table, before);
                    assert_eq!(read(&table), before);
                    step.on_table(&table);
                    let mut after = before;
                    step.on_model(&mut after);
                    assert_eq!(read(&table), after, "{step:?} from {before:?}");
                }
            }
        }
    }
}
