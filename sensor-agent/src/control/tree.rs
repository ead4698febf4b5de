//! Running processes for people, as a tree.

use diagnostic::printable;

use super::{Line, elapsed::duration, lines::Painted};

/// The processes, in the order of the tree that [`Line::depth`] tells, with a heading. `now` is in nanoseconds since the
/// Unix epoch; lines that are longer than `width` are cut.
#[must_use]
pub fn tree(lines: &[Line], now: u64, color: bool, width: Option<usize>) -> String {
    let mut branches = branches(lines);
    let mut out = Painted::new(color);
    for (word, width) in [("    PID", 7), ("USER", 8), ("CONTAINER", 12), ("UP", 11), (" ", 1), ("PROCESS", 0)] {
        out.put("", word, width);
    }
    let mut text = out.line(width);
    for (line, branch) in lines.iter().zip(&mut branches) {
        let mut out = Painted::new(color);
        out.put("", &format!("{:>7}", line.pid), 7);
        out.put("", &line.user, 8);
        out.put_container(line);
        let up = if line.time == 0 { "-".to_owned() } else { duration(now.saturating_sub(line.time) / 1_000_000_000) };
        out.put("", &up, 11);
        out.put_incident(line);
        for ended in line.lineage.iter().rev() {
            branch.push_str(&format!("({})›", printable(ended)));
        }
        out.put_dim(branch);
        out.put("", &line.text, 0);
        text.push_str(&out.line(width));
    }
    text
}

/// What stands before each process to show where it hangs.
fn branches(lines: &[Line]) -> Vec<String> {
    // At each depth whether another one hangs further down on the same branch; seen from the end.
    let mut goes_on: Vec<bool> = Vec::new();
    let mut branches: Vec<String> = lines
        .iter()
        .rev()
        .map(|line| {
            // No deeper than the sensor's lineages, whoever sends it.
            let depth = (line.depth as usize).min(DEEPEST);
            goes_on.resize(depth + 1, false);
            let mut branch: String = (1..depth).map(|level| if goes_on[level] { "│ " } else { "  " }).collect();
            if depth > 0 {
                branch.push_str(if goes_on[depth] { "├─" } else { "└─" });
            }
            goes_on[depth] = true;
            branch
        })
        .collect();
    branches.reverse();
    branches
}

/// Where a tree grows no deeper to the right.
const DEEPEST: usize = 100;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(depth: u32, pid: u32, text: &str) -> Line {
        Line { depth, pid, user: "root".into(), text: text.into(), ..Line::default() }
    }

    #[test]
    fn a_tree_is_drawn() {
        let mut orphan = at(1, 9, "/bin/x");
        orphan.lineage = vec!["sh".into()];
        orphan.incident = true;
        orphan.time = 1_000_000_000;
        let lines = [
            at(0, 1, "/sbin/init"),
            at(1, 2, "/bin/a"),
            at(2, 3, "/bin/b"),
            at(1, 4, "/bin/c"),
            at(2, 5, "/bin/d"),
            orphan,
        ];
        let text = tree(&lines, 62_000_000_000, false, None);
        let shown: Vec<&str> = text.lines().map(|line| line.get(44..).unwrap_or_default()).collect();
        assert_eq!(
            shown,
            ["PROCESS", "/sbin/init", "├─ /bin/a", "│ └─ /bin/b", "├─ /bin/c", "│ └─ /bin/d", "└─(sh)› /bin/x"],
            "{text}"
        );
        assert!(text.ends_with("      9 root     -            1 min 1 s   ! └─(sh)› /bin/x\n"), "{text}");
        let narrow = tree(&lines, 0, false, Some(50));
        assert!(narrow.lines().all(|line| line.chars().count() <= 50) && narrow.contains('…'), "{narrow}");
    }

    proptest! {
        #[test]
        fn any_lines_are_a_tree_that_commands_no_terminal(
            depths in prop::collection::vec(any::<u32>(), 0..8), text: String, width in prop::option::of(0_usize..90),
        ) {
            let lines: Vec<Line> = depths.into_iter().map(|depth| at(depth, 7, &text)).collect();
            let shown = tree(&lines, 0, false, width);
            prop_assert_eq!(shown.lines().count(), lines.len() + 1);
            prop_assert!(!shown.contains(|char: char| char != '\n' && char.is_control()));
        }
    }
}
