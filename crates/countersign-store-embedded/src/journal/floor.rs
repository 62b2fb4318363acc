//! The persisted floor: up to which last second entries may have been forgotten by unlinking their files.
//!
//! Written before a file is unlinked, never after, and it only rises. A gateway that starts with a clock that
//! has gone back then knows what it no longer knows. One line of text, replaced as a whole.

use super::folder::Folder;
use std::io::{self, Read as _};
use std::sync::{Arc, Mutex, MutexGuard};

/// The floor on the disk.
#[derive(Debug)]
pub(crate) struct Floor {
    folder: Arc<dyn Folder>,
    value: Mutex<u32>,
}

/// Why the floor is not known.
#[derive(Debug)]
pub(crate) enum NoFloor {
    /// There is no such file.
    Missing,
    /// There is, and it is not one that was written here.
    Damaged,
    Failed(io::Error),
}

impl Floor {
    /// The floor that is there.
    pub(crate) fn open(folder: Arc<dyn Folder>) -> Result<Self, NoFloor> {
        let value = Mutex::new(read(&*folder)?);
        Ok(Self { folder, value })
    }

    /// The first floor of a folder that has none.
    pub(crate) fn create(folder: Arc<dyn Folder>) -> io::Result<Self> {
        write(&*folder, 0)?;
        Ok(Self { folder, value: Mutex::new(0) })
    }

    pub(crate) fn value(&self) -> io::Result<u32> {
        Ok(*self.locked()?)
    }

    /// Raises the floor, if it is lower. It is on the disk when this returns.
    pub(crate) fn raise(&self, to: u32) -> io::Result<()> {
        let mut value = self.locked()?;
        if to > *value {
            write(&*self.folder, to)?;
            *value = to;
        }
        Ok(())
    }

    fn locked(&self) -> io::Result<MutexGuard<'_, u32>> {
        self.value.lock().map_err(|_| io::Error::other("raising the floor failed before"))
    }
}

fn read(folder: &dyn Folder) -> Result<u32, NoFloor> {
    let mut text = Vec::new();
    let file = match folder.read(NAME) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(NoFloor::Missing),
        Err(error) => return Err(NoFloor::Failed(error)),
    };
    file.take(MOST_BYTES).read_to_end(&mut text).map_err(NoFloor::Failed)?;
    parse(&text).ok_or(NoFloor::Damaged)
}

fn write(folder: &dyn Folder, floor: u32) -> io::Result<()> {
    folder.replace(NAME, render(floor).as_bytes())
}

pub(crate) const NAME: &str = "floor";

fn render(floor: u32) -> String {
    let line = format!("countersign replay floor {floor:010}");
    let crc = crc32fast::hash(line.as_bytes());
    format!("{line} {crc:08x}\n")
}

fn parse(text: &[u8]) -> Option<u32> {
    let digits = text.get(25..35)?;
    let floor = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (render(floor).as_bytes() == text).then_some(floor)
}

const MOST_BYTES: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_floor_is_one_line() {
        assert!(render(1_714_566_911).starts_with("countersign replay floor 1714566911 "));
        assert_eq!(parse(render(0).as_bytes()), Some(0));
        assert_eq!(parse(render(u32::MAX).as_bytes()), Some(u32::MAX));
    }

    #[test]
    fn a_changed_byte_or_a_cut_is_damage() {
        let text = render(1_714_566_911).into_bytes();
        for at in 0..text.len() {
            assert_eq!(parse(&text[..at]), None, "cut at {at}");
            let mut changed = text.clone();
            changed[at] ^= 1;
            assert_eq!(parse(&changed), None, "byte {at}");
        }
        assert_eq!(parse(&[text, b"\n".to_vec()].concat()), None);
    }

    proptest! {
        #[test]
        fn any_floor_is_read_as_written(floor: u32) {
            prop_assert_eq!(parse(render(floor).as_bytes()), Some(floor));
        }

        #[test]
        fn arbitrary_bytes_are_no_floor(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(parse(&bytes), None);
        }
    }
}
