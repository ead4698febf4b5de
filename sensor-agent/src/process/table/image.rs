//! From what a record says of a program to its image: paths turned round, where the host has the file, the script.

use std::sync::Arc;

use sensor_ebpf::record::exec_flags;

use super::Table;
use crate::event::decode::{Exec, turn_path};
use crate::event::fields::base_name;
use crate::event::{Arguments, Image, NOT_WHOLE};

impl Table {
    /// What a record says that a process runs, in place of what it ran before.
    pub(super) fn image(&mut self, exec: &Exec<'_>, before: Option<&Image>) -> Arc<Image> {
        self.pool.image(|image| {
            let set = |field: &mut Vec<u8>, value: &[u8]| {
                field.clear();
                field.extend_from_slice(value);
            };
            let is = |flag| exec.fixed.flags & flag != 0;
            let fixed = &exec.fixed;
            let no_file = exec.path.is_empty() && !is(exec_flags::PATH_CUT);
            if is(exec_flags::MEMFD) || no_file {
                set(&mut image.path, exec.path);
            } else {
                set_path(&mut image.path, exec.path, is(exec_flags::PATH_CUT));
            }
            // Of a failed exec, what was asked for.
            if fixed.error != 0 && is(exec_flags::SCRIPT_PATH) {
                set_path(&mut image.path, exec.script, is(exec_flags::SCRIPT_CUT));
            }
            image.flags = fixed.flags;
            image.host_path.clear();
            if !is(exec_flags::HOST_MOUNTS | exec_flags::MEMFD)
                && let Some((within, root)) = exec.own_place()
            {
                self.mounts.find(fixed.device, within, root, &mut image.host_path);
                if self.mounts.is_known() {
                    image.flags |= exec_flags::HOST_KNOWN;
                }
            }
            // Without names it is the root, unless it is not known.
            let unknown = is(exec_flags::READ_FAILED) && is(exec_flags::CWD_CUT);
            if exec.cwd.is_empty() && (is(exec_flags::KERNEL_THREAD) || unknown) {
                image.cwd.clear();
            } else {
                set_path(&mut image.cwd, exec.cwd, is(exec_flags::CWD_CUT));
            }
            set(&mut image.filename, exec.filename);
            image.script.clear();
            if is(exec_flags::SCRIPT) {
                set_script(&mut image.script, exec, &image.cwd);
            }
            set(&mut image.interpreter, exec.interpreter);
            image.args.set(exec.args_head, exec.args_tail, fixed.args_bytes, fixed.args_unreadable != 0);
            if let Some(before) =
                before.filter(|before| !is(exec_flags::SCRIPT) && is_found_by_env(before, &image.args))
            {
                const OF_SCRIPT: u32 = exec_flags::SCRIPT
                    | exec_flags::SCRIPT_PATH
                    | exec_flags::SCRIPT_CUT
                    | exec_flags::SCRIPT_USER_MOUNTS;
                set(&mut image.script, &before.script);
                set(&mut image.interpreter, &before.interpreter);
                image.flags |= before.flags & OF_SCRIPT;
            }
            image.argc = fixed.argc;
            image.inode = fixed.inode;
            image.device = fixed.device;
            image.mode = fixed.mode;
            image.file_uid = fixed.file_uid;
            set(&mut image.comm, fixed.comm.split(|&byte| byte == 0).next().unwrap_or_default());
        })
    }

    /// The image of a process whose exec failed because the kernel takes the file for no program: it may read it as a script
    /// itself, as shells do with a file that has no `#!` line.
    pub(super) fn unformatted(&mut self, exec: &Exec<'_>, held: &Image) -> Arc<Image> {
        self.pool.image(|image| {
            image.clone_from(held);
            image.flags |= exec_flags::SCRIPT | exec.fixed.flags & exec_flags::SCRIPT_USER_MOUNTS;
            image.filename.clear();
            image.filename.extend_from_slice(exec.filename);
            set_path(&mut image.cwd, exec.cwd, exec.fixed.flags & exec_flags::CWD_CUT != 0);
            set_script(&mut image.script, exec, &image.cwd);
        })
    }
}

/// Whether a program is the interpreter of the script that was run before it: `#!/usr/bin/env -S python3` makes `env` the
/// script's interpreter, which then runs the one that is meant, the script's name still among its arguments.
fn is_found_by_env(before: &Image, args: &Arguments) -> bool {
    let is_env = |name: &[u8]| base_name(name) == b"env";
    // By the names that it has there and was called by: it may be one program with many others.
    let was_env = is_env(&before.interpreter) && before.args.iter().next().is_some_and(is_env);
    let is_script = |arg: &[u8]| arg == before.filename || base_name(arg) == base_name(&before.script);
    before.is(exec_flags::SCRIPT) && was_env && (args.is_cut() || args.iter().any(is_script))
}

/// Turns a leaf-first path round. One whose upper end is missing begins with `…`: what is left of it must not pass for
/// a path from the root, on an allow-list say.
pub(super) fn set_path(field: &mut Vec<u8>, leaf_first: &[u8], cut: bool) {
    turn_path(leaf_first, field);
    if cut {
        field.splice(..0, NOT_WHOLE.iter().copied());
        if leaf_first.is_empty() {
            field.truncate(NOT_WHOLE.len());
        }
    }
}

/// The script that a record is about, as the kernel found it. What it did not find has the name that it was given by.
fn set_script(field: &mut Vec<u8>, exec: &Exec<'_>, cwd: &[u8]) {
    let is = |flag| exec.fixed.flags & flag != 0;
    if is(exec_flags::SCRIPT_PATH) && !exec.script.is_empty() {
        return set_path(field, exec.script, is(exec_flags::SCRIPT_CUT));
    }
    field.clear();
    if is(exec_flags::SCRIPT_PATH) {
        field.extend_from_slice(NOT_WHOLE);
        field.push(b'/');
        field.extend_from_slice(base_name(exec.filename));
    } else {
        if !exec.filename.starts_with(b"/") {
            field.extend_from_slice(cwd);
            field.push(b'/');
        }
        field.extend_from_slice(exec.filename);
    }
}
