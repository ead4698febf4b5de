//! A folder as it was, to be put down again and again with a bit of it flipped.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::store::Chance;

/// Blocks that hold nothing are neither written nor hit: a file may be mostly room for later.
const BLOCK: usize = 4096;

#[derive(Default)]
pub(super) struct Image {
    folders: Vec<PathBuf>,
    files: Vec<Kept>,
}

struct Kept {
    name: PathBuf,
    length: u64,
    /// Where they stand, and their bytes.
    blocks: Vec<(u64, Vec<u8>)>,
}

impl Image {
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let mut image = Self::default();
        image.add(folder, Path::new(""))?;
        // The same places are hit in each run.
        image.files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(image)
    }

    fn add(&mut self, folder: &Path, below: &Path) -> io::Result<()> {
        self.folders.push(below.to_owned());
        for entry in fs::read_dir(folder.join(below))? {
            let name = below.join(entry?.file_name());
            if folder.join(&name).is_dir() {
                self.add(folder, &name)?;
                continue;
            }
            let bytes = fs::read(folder.join(&name))?;
            let blocks = (0..).step_by(BLOCK).zip(bytes.chunks(BLOCK));
            let blocks = blocks.filter(|(_, block)| block.iter().any(|&byte| byte != 0));
            let blocks = blocks.map(|(offset, block)| (offset, block.to_vec())).collect();
            self.files.push(Kept { name, length: bytes.len() as u64, blocks });
        }
        Ok(())
    }

    /// Puts it all into a folder, and flips one bit: each is as likely as any other.
    pub(super) fn put_damaged(&self, folder: &Path, chance: &mut Chance) -> io::Result<()> {
        for name in &self.folders {
            fs::create_dir_all(folder.join(name))?;
        }
        let bytes = self.files.iter().flat_map(|file| &file.blocks).map(|(_, block)| block.len() as u64).sum();
        let (mut victim, bit) = (chance.below(bytes), chance.below(8));
        let mut hit = false;
        for Kept { name, length, blocks } in &self.files {
            let file = File::create(folder.join(name))?;
            file.set_len(*length)?;
            for (offset, block) in blocks {
                file.write_all_at(block, *offset)?;
                match block.get(usize::try_from(victim).unwrap_or(usize::MAX)) {
                    Some(byte) if !hit => {
                        file.write_all_at(&[byte ^ (1 << bit)], offset + victim)?;
                        hit = true;
                    }
                    _ => victim = victim.saturating_sub(block.len() as u64),
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_differs_and_nothing_else() {
        let original = tempfile::tempdir().unwrap();
        fs::create_dir_all(original.path().join("empty/deeper")).unwrap();
        let contents = [("a", [vec![7; 5000], vec![0; 20_000], vec![9; 10]].concat()), ("b", vec![1; 3])];
        for (name, bytes) in &contents {
            fs::write(original.path().join(name), bytes).unwrap();
        }
        let image = Image::of(original.path()).unwrap();
        let mut chance = Chance(1);
        for _ in 0..100 {
            let copy = tempfile::tempdir().unwrap();
            image.put_damaged(copy.path(), &mut chance).unwrap();
            assert!(copy.path().join("empty/deeper").is_dir());
            let differing: u32 = contents
                .iter()
                .map(|(name, bytes)| {
                    let copied = fs::read(copy.path().join(name)).unwrap();
                    assert_eq!(copied.len(), bytes.len());
                    copied.iter().zip(bytes).map(|(one, other)| (one ^ other).count_ones()).sum::<u32>()
                })
                .sum();
            assert_eq!(differing, 1);
        }
    }
}
