//! Fenced blocks of the documentation's pages.

use std::fs;
use std::path::Path;

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// File and line, for messages.
    pub place: String,
    /// What stands behind the fence.
    pub kind: String,
    /// What is between the fences.
    pub text: String,
}

/// The blocks of a page, in its order.
///
/// # Panics
/// It cannot be read, or a block has no end.
#[must_use]
pub fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.as_mut()) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(kind), None) => {
                let name = page.file_name().unwrap_or_default().to_string_lossy();
                let place = format!("{name}:{}", number + 1);
                open = Some(Block { place, kind: kind.trim().into(), text: String::new() });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: a block has no end", page.display());
    blocks
}
