//! The block of settings in a *sealed object*: a build of the hook that takes its settings from a block in its own file
//! and not from the environment.
//!
//! The block holds the variables that the environment would hold, as `NAME=value` with a zero byte after each. They are
//! masked with a pad (exclusive or). The pad lies beside them in the block, so that the file shows no setting to
//! `strings`, and every copy of the file differs in all bytes of the block. A reader who knows this layout can unmask the
//! settings: the block protects an examination against accidents, and not against an adversary.
#![no_std]
#![forbid(unsafe_code)]

use core::ffi::CStr;

/// The first bytes of each block.
pub const MARK: [u8; 16] = *b"readhook/sealed\n";
/// Room for the variables, bytes. A path of the largest length that Linux accepts (4,096 bytes) does not fit.
pub const ROOM: usize = 1024;
/// Length of a block, bytes.
pub const BLOCK_LEN: usize = size_of::<SealedBlock>();

/// A block. In a build that nobody has sealed, pad and masked variables are zero, and the block holds no variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct SealedBlock {
    mark: [u8; MARK.len()],
    pad: [u8; ROOM],
    masked: [u8; ROOM],
}

/// The variables do not fit into a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedBlockFull;

impl core::fmt::Display for SealedBlockFull {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            formatter,
            "the settings of a sealed object need more than {ROOM} bytes; use a shorter path"
        )
    }
}

impl core::error::Error for SealedBlockFull {}

impl SealedBlock {
    /// The block of a build that nobody has sealed.
    pub const EMPTY: Self = Self {
        mark: MARK,
        pad: [0; ROOM],
        masked: [0; ROOM],
    };

    /// Masks variables, each a name and its value, with a pad of random bytes. The values must not contain a zero byte.
    ///
    /// # Errors
    /// If the variables do not fit.
    pub fn seal(variables: &[(&str, &[u8])], pad: [u8; ROOM]) -> Result<Self, SealedBlockFull> {
        let mut plain = [0; ROOM];
        let mut rest = &mut plain[..];
        for (name, value) in variables {
            for part in [name.as_bytes(), b"=", value, b"\0"] {
                let (here, after) = rest.split_at_mut_checked(part.len()).ok_or(SealedBlockFull)?;
                here.copy_from_slice(part);
                rest = after;
            }
        }
        Ok(Self {
            mark: MARK,
            pad,
            masked: masked(&plain, &pad),
        })
    }

    /// Returns the variables, each followed by a zero byte, and zero bytes after the last.
    #[must_use]
    pub fn open(&self) -> [u8; ROOM] {
        masked(&self.masked, &self.pad)
    }

    /// Returns the bytes of the block in the object's file.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BLOCK_LEN] {
        let mut bytes = [0; BLOCK_LEN];
        let mut rest = &mut bytes[..];
        for part in [&self.mark[..], &self.pad, &self.masked] {
            let (here, after) = rest.split_at_mut(part.len());
            here.copy_from_slice(part);
            rest = after;
        }
        bytes
    }
}

fn masked(bytes: &[u8; ROOM], pad: &[u8; ROOM]) -> [u8; ROOM] {
    core::array::from_fn(|index| bytes[index] ^ pad[index])
}

/// Returns the value of a variable in an opened block; `None` if the block does not hold it.
#[must_use]
pub fn variable<'a>(opened: &'a [u8; ROOM], name: &CStr) -> Option<&'a CStr> {
    let mut rest = &opened[..];
    while let Ok(line) = CStr::from_bytes_until_nul(rest) {
        if line.is_empty() {
            return None;
        }
        let value = line.to_bytes_with_nul().strip_prefix(name.to_bytes());
        if let Some(value) = value.and_then(|value| value.strip_prefix(b"=")) {
            return CStr::from_bytes_until_nul(value).ok();
        }
        rest = &rest[line.count_bytes() + 1..];
    }
    None
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::ffi::CString;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn every_variable_is_found_again_and_no_other(
            values in proptest::collection::vec(proptest::collection::vec(1_u8.., 0..60), 1..8),
            pad in any::<u64>(),
        ) {
            let pad = core::array::from_fn(|index| (pad.rotate_left(u32::try_from(index).unwrap()) & 0xff) as u8);
            let names: Vec<_> = (0..values.len()).map(|index| std::format!("NAME_{index}")).collect();
            let variables: Vec<_> = names.iter().map(|name| &name[..]).zip(values.iter().map(|value| &value[..])).collect();
            let opened = SealedBlock::seal(&variables, pad).unwrap().open();
            for (name, value) in &variables {
                let name = CString::new(*name).unwrap();
                prop_assert_eq!(variable(&opened, &name).map(CStr::to_bytes), Some(*value));
            }
            prop_assert_eq!(variable(&opened, c"NAME"), None);
        }
    }

    #[test]
    fn an_unsealed_block_holds_no_variable_and_a_full_one_is_an_error() {
        assert_eq!(variable(&SealedBlock::EMPTY.open(), c"READHOOK_MODE"), None);
        let long = [b'x'; ROOM];
        assert_eq!(SealedBlock::seal(&[("A", &long[..])], [7; ROOM]), Err(SealedBlockFull));
        assert!(SealedBlock::seal(&[("A", &long[..ROOM - 3])], [7; ROOM]).is_ok());
    }

    #[test]
    fn a_sealed_block_shows_no_setting_and_begins_with_the_mark() {
        let pad = core::array::from_fn(|index| (index * 37 % 251) as u8);
        let bytes = SealedBlock::seal(&[("READHOOK_DELAY_NS", b"5000")], pad)
            .unwrap()
            .to_bytes();
        assert!(bytes.starts_with(&MARK));
        for plain in [&b"READHOOK_"[..], b"5000"] {
            assert!(!bytes.windows(plain.len()).any(|window| window == plain));
        }
    }
}
