//! What the compiler makes of the kernel programs, which no build shows.
//!
//! Linux 5.10 takes no loop whose end falls through to its head without a jump (`check_cfg` of kernel/bpf/verifier.c), "back-edge from
//! insn": the compiler's layout decides. And what the compiler does not copy or clear word by word it does byte by byte, by a function
//! with a loop: hundreds of instructions for each event, and thousands for the verifier.

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SymbolKind};

use super::OBJECT;

/// An instruction: its code, and how far it jumps.
struct Instruction {
    code: u8,
    offset: i16,
}

impl Instruction {
    /// Where it leads from a place, and whether by a jump.
    fn leads(&self, at: usize) -> Vec<(usize, bool)> {
        /// `BPF_JMP | BPF_EXIT`, `BPF_JMP | BPF_CALL`, `BPF_JMP | BPF_JA`, and the classes of jumps.
        const EXIT: u8 = 0x95;
        const CALL: u8 = 0x85;
        const ALWAYS: u8 = 0x05;
        const JUMPS: [u8; 2] = [0x05, 0x06];
        let next = at + 1;
        let target = next.wrapping_add_signed(self.offset.into());
        match self.code {
            EXIT => Vec::new(),
            ALWAYS => vec![(target, true)],
            CALL => vec![(next, false)],
            code if JUMPS.contains(&(code & 7)) => vec![(next, true), (target, true)],
            _ => vec![(next, false)],
        }
    }
}

/// The first place at which a loop falls through to its head, as the kernel looks for it: depth first.
fn falls_into_a_loop(instructions: &[Instruction]) -> Option<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        Unseen,
        OnTheWay,
        Done,
    }
    let mut states = vec![State::Unseen; instructions.len()];
    let mut way = vec![(0, instructions[0].leads(0))];
    states[0] = State::OnTheWay;
    while let Some((at, leads)) = way.last_mut() {
        let at = *at;
        let Some((next, is_jump)) = leads.pop() else {
            states[at] = State::Done;
            way.pop();
            continue;
        };
        match states.get(next) {
            Some(State::Unseen) => {
                states[next] = State::OnTheWay;
                way.push((next, instructions[next].leads(next)));
            }
            Some(State::OnTheWay) if !is_jump => return Some(at),
            _ => {}
        }
    }
    None
}

fn instructions(code: &[u8]) -> Vec<Instruction> {
    let word = |word: &[u8; 8]| Instruction { code: word[0], offset: i16::from_le_bytes([word[2], word[3]]) };
    code.as_chunks().0.iter().map(word).collect()
}

#[test]
fn loops_jump_back() {
    let object = object::File::parse(OBJECT).expect("an object");
    let mut functions = 0;
    for symbol in object.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0) {
        let section = object.section_by_index(symbol.section_index().expect("its section")).expect("a section");
        let start = usize::try_from(symbol.address()).expect("a place");
        let len = usize::try_from(symbol.size()).expect("a length");
        let code = &section.data().expect("its code")[start..start + len];
        let found = falls_into_a_loop(&instructions(code));
        assert_eq!(found, None, "{} falls into a loop at this instruction", symbol.name().unwrap_or("?"));
        functions += 1;
    }
    assert!(functions > 100, "{functions} functions");
}

#[test]
fn nothing_is_copied_or_cleared_byte_by_byte() {
    let object = object::File::parse(OBJECT).expect("an object");
    let mut calls = 0;
    for section in object.sections() {
        for (at, relocation) in section.relocations() {
            let RelocationTarget::Symbol(symbol) = relocation.target() else { continue };
            let symbol = object.symbol_by_index(symbol).expect("its symbol");
            let name = symbol.name().unwrap_or("?");
            assert!(
                !matches!(name, "memcpy" | "memmove" | "memset" | "memcmp" | "bcmp"),
                "{} calls {name} at {at:#x}",
                section.name().unwrap_or("?")
            );
            calls += 1;
        }
    }
    assert!(calls > 1000, "{calls} relocations");
}

#[test]
fn a_loop_that_falls_into_its_head_is_found() {
    let of = |all: &[(u8, i16)]| all.iter().map(|&(code, offset)| Instruction { code, offset }).collect::<Vec<_>>();
    // Into the middle, `r0 += 1`, back to before that while a condition holds.
    assert_eq!(falls_into_a_loop(&of(&[(0x05, 1), (0x07, 0), (0x55, -2), (0x95, 0)])), Some(1));
    // `r0 += 1`, back to it while a condition holds.
    assert_eq!(falls_into_a_loop(&of(&[(0x07, 0), (0x55, -2), (0x95, 0)])), None);
}
