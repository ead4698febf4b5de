//! Which cgroup: the strongest hint at a container that the kernel itself has.
//!
//! On a host with the unified hierarchy it is the task's place there. On a host with version 1 hierarchies
//! everything sits at the root of the unified one; then the first controller in a fixed order that has the task elsewhere counts.
//! Ids are unique within a hierarchy only, so a version 1 controller's number stands in the id's top byte.

use crate::record::exec::{CGROUP_DEPTH, CGROUP_MAX};
use crate::record::{Place, exec_flags};
use aya_ebpf::btf_maps::LruHashMap;
use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use aya_ebpf::macros::btf_map;

use super::load::{Address, Memory, at_most, offset, present, probe, zero};
use super::scratch::Area;

/// Cgroups whose path was already sent. The agent remembers paths; one that falls out of here is sent again.
#[btf_map]
static CGROUPS_SENT: LruHashMap<u64, u8, 4096> = LruHashMap::new();

/// Most steps up from a cgroup: so many calls of [`cgroup_climb`], and steps in each. Since Linux 6.1 they begin where names are kept
/// from, however deep the cgroup is.
const STEPS: u32 = 16;
const KEPT: u64 = CGROUP_DEPTH as u64;
/// `NAME_MAX` and the end of the string.
const NAME_SIZE: u32 = 256;
/// Where a version 1 controller's number stands in the id.
const CONTROLLER_SHIFT: u32 = 56;

/// A task's cgroup.
#[derive(Clone, Copy)]
pub(super) struct Cgroup {
    pub(super) id: u64,
    /// The `struct cgroup`, its depth, and its `kernfs_node`.
    address: u64,
    level: u64,
    node: u64,
}

/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read.
#[inline(always)]
pub(super) unsafe fn of<M: Memory>(task: Address, area: Area) -> Cgroup {
    let none = Cgroup { id: 0, address: 0, level: 0, node: 0 };
    if !present!(task_cgroups) || !present!(css_set_dfl_cgrp) || !present!(kernfs_id) {
        return none;
    }
    // SAFETY: the verifier.
    unsafe {
        let set: Address = M::member(task, offset!(task_cgroups));
        if set.is_null() {
            return none;
        }
        let cgroup: Address = M::member(set, offset!(css_set_dfl_cgrp));
        if cgroup.is_null() {
            return none;
        }
        let node: Address = M::member(cgroup, offset!(cgroup_kn));
        if node.is_null() {
            return none;
        }
        let id: u64 = M::member(node, offset!(kernfs_id));
        let level: u32 = M::member(cgroup, offset!(cgroup_level));
        let unified = Cgroup { id, address: cgroup as u64, level: u64::from(level), node: node as u64 };
        if level != 0 {
            return unified;
        }
        if let Some(found) = below_root::<M>(set, area, offset!(subsys_pids)) {
            return found;
        }
        if let Some(found) = below_root::<M>(set, area, offset!(subsys_memory)) {
            return found;
        }
        if let Some(found) = below_root::<M>(set, area, offset!(subsys_cpu)) {
            return found;
        }
        unified
    }
}

/// The task's cgroup in a version 1 controller's hierarchy, unless it is the root.
///
/// Read by probes: reached over two routes, the pointers would differ in type to the verifier.
#[inline(always)]
unsafe fn below_root<M: Memory>(set: Address, area: Area, subsys: u32) -> Option<Cgroup> {
    if subsys == crate::offsets::ABSENT {
        return None;
    }
    // SAFETY: the verifier for the first step, `probe` for the others.
    unsafe {
        let state: Address = M::member(set, offset!(css_set_subsys) + subsys * 8);
        let word = &raw mut (*area.0).word;
        if !probe(word, state as u64 + u64::from(offset!(css_cgroup))) {
            return None;
        }
        let cgroup = word.read_volatile();
        if !probe(word.cast::<u32>(), cgroup + u64::from(offset!(cgroup_level))) {
            return None;
        }
        let level = word.cast::<u32>().read_volatile();
        if level == 0 {
            return None;
        }
        if !probe(word, cgroup + u64::from(offset!(cgroup_kn))) {
            return None;
        }
        let node = word.read_volatile();
        if !probe(word, node + u64::from(offset!(kernfs_id))) {
            return None;
        }
        let id = word.read_volatile() | (u64::from(subsys) + 1) << CONTROLLER_SHIFT;
        Some(Cgroup { id, address: cgroup, level: u64::from(level), node })
    }
}

/// Tells the cgroup, and appends its path unless that was sent before; returns the path's length.
///
/// # Safety
///
/// `cgroup` must come from [`of`], `place` be within the record.
#[inline(always)]
pub(super) unsafe fn describe(area: Area, cgroup: Cgroup, place: *mut Place) -> u16 {
    // SAFETY: nothing keeps a reference to the value; `place` is within the record.
    unsafe {
        (*place).cgroup_id = cgroup.id;
        (*place).cgroup_owned = 0;
        if cgroup.id == 0 || CGROUPS_SENT.get(&cgroup.id).is_some() {
            return 0;
        }
        area.flag(exec_flags::CGROUP_PATH);
        // In the area typed pointers become numbers.
        (&raw mut (*area.0).dentry).write_volatile(cgroup.node);
        (&raw mut (*area.0).word).write_volatile(cgroup.address);
        let packed = cgroup_path(area.number(), cgroup.level);
        (*place).cgroup_owned = (packed >> 32) as u32;
        packed as u16
    }
}

/// Appends the path of the cgroup in the area of this number, its node in `dentry` and itself in `word`: the length, and from bit 32
/// on which of the cgroups on the way are not root's. A function of its own, so that the verifier looks at it once and not once for
/// each way that leads here.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn cgroup_path(area: u32, level: u64) -> u64 {
    let Some(area) = Area::numbered(area) else { return 0 };
    // SAFETY: in the area; what is probed may be anything.
    unsafe {
        match climb(area, level) {
            Some(count) => append(area, count),
            None => 0,
        }
    }
}

/// Notes that the agent has, or will have, a cgroup's path.
#[inline(always)]
pub(super) fn sent(id: u64) {
    let _ = CGROUPS_SENT.insert(&id, &1, 0);
}

/// Goes up to the root and leaves the cgroups behind that were passed last, which are those nearest to the root. Returns how
/// many were passed.
#[inline(always)]
unsafe fn climb(area: Area, level: u64) -> Option<u64> {
    // SAFETY: the verifier checks the area; `probe` the rest.
    unsafe {
        let place = &raw mut (*area.0).dentry;
        let count = &raw mut (*area.0).mount;
        let address = (&raw const (*area.0).word).read_volatile();
        count.write_volatile(0);
        if level > KEPT {
            area.flag(exec_flags::CGROUP_CUT);
            if present!(cgroup_ancestors) {
                let ancestor = address + u64::from(offset!(cgroup_ancestors)) + KEPT * 8;
                if !probe(place, ancestor) || !probe(place, place.read_volatile() + u64::from(offset!(cgroup_kn))) {
                    area.flag(exec_flags::READ_FAILED);
                    return None;
                }
            }
        }
        let mut call = zero();
        while call < STEPS {
            call += 1;
            match cgroup_climb(area.number()) {
                climbed::MORE => {}
                climbed::ROOT => return Some(count.read_volatile()),
                _ => return None,
            }
        }
        area.flag(exec_flags::CGROUP_CUT);
        None
    }
}

/// How a call of [`cgroup_climb`] ended.
mod climbed {
    pub(super) const MORE: u64 = 0;
    pub(super) const ROOT: u64 = 1;
    pub(super) const FAILED: u64 = 2;
}

/// Takes the next steps up in the area of this number. A function of its own, see `path` for why.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn cgroup_climb(area: u32) -> u64 {
    let Some(area) = Area::numbered(area) else { return climbed::FAILED };
    let mut step = zero();
    while step < STEPS {
        step += 1;
        // SAFETY: the verifier checks the area; `probe` the rest.
        unsafe {
            let place = &raw mut (*area.0).dentry;
            let count = &raw mut (*area.0).mount;
            let node = place.read_volatile();
            if !probe(place, node + u64::from(offset!(kernfs_parent))) {
                area.flag(exec_flags::READ_FAILED | exec_flags::CGROUP_CUT);
                return climbed::FAILED;
            }
            // The root has no parent, and no name.
            if place.read_volatile() == 0 {
                return climbed::ROOT;
            }
            let passed = count.read_volatile();
            *slot(area, passed) = node;
            count.write_volatile(passed + 1);
        }
    }
    climbed::MORE
}

/// Where the n-th cgroup on the way up is kept.
#[inline(always)]
unsafe fn slot(area: Area, n: u64) -> *mut u64 {
    // SAFETY: within the array.
    unsafe { (&raw mut (*area.0).nodes).cast::<u64>().add(at_most::<{ KEPT - 1 }>(n & (KEPT - 1)) as usize) }
}

/// Appends the names of the cgroups that [`climb`] left, from the root down, and tells which of them are not root's; see
/// [`cgroup_path`].
#[inline(always)]
unsafe fn append(area: Area, count: u64) -> u64 {
    let start = area.at();
    let mut owned = 0_u64;
    // SAFETY: within the area.
    unsafe {
        (&raw mut (*area.0).mount).write_volatile(count);
        (&raw mut (*area.0).start).write_volatile(start);
    }
    let mut index = 0;
    while index < KEPT {
        match cgroup_name(area.number()) {
            named::LAST => break,
            named::OWNED => owned |= 1 << index,
            _ => {}
        }
        index += 1;
    }
    let mut len = area.at() - start;
    if len > 0 {
        len -= 1;
        area.set_at(start + len);
    }
    len & 0xffff | owned << 32
}

/// What a call of [`cgroup_name`] did.
mod named {
    /// Nothing: there is no other one, or no room, or it cannot be read.
    pub(super) const LAST: u64 = 0;
    pub(super) const ROOTS: u64 = 1;
    /// The name of a cgroup that is another user's than root's.
    pub(super) const OWNED: u64 = 2;
}

/// Appends the next name in the area of this number. A function of its own, see `path` for why.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn cgroup_name(area: u32) -> u64 {
    let Some(area) = Area::numbered(area) else { return named::LAST };
    // SAFETY: the verifier checks the area; `probe` the rest.
    unsafe {
        let left = &raw mut (*area.0).mount;
        let next = left.read_volatile();
        if next == 0 {
            return named::LAST;
        }
        left.write_volatile(next - 1);
        let node = *slot(area, next - 1);
        let word = &raw mut (*area.0).word;
        if !probe(word, node + u64::from(offset!(kernfs_name))) {
            area.flag(exec_flags::READ_FAILED | exec_flags::CGROUP_CUT);
            return named::LAST;
        }
        let at = area.at();
        if at - (&raw const (*area.0).start).read_volatile() + u64::from(NAME_SIZE) > CGROUP_MAX as u64 {
            area.flag(exec_flags::CGROUP_CUT);
            return named::LAST;
        }
        let to = area.end();
        let len = bpf_probe_read_kernel_str(to.cast(), NAME_SIZE, word.read_volatile() as Address);
        if len < 1 || len > i64::from(NAME_SIZE) {
            area.flag(exec_flags::READ_FAILED | exec_flags::CGROUP_CUT);
            return named::LAST;
        }
        // The separator takes the place of the string's end.
        let last = at_most::<{ NAME_SIZE as u64 - 1 }>(len as u64 - 1);
        to.add(last as usize).write_volatile(b'/');
        area.set_at(at + len as u64);
        if is_owned(area, node) { named::OWNED } else { named::ROOTS }
    }
}

/// Whether a cgroup belongs to another user than root, who may name what is in it.
#[inline(always)]
unsafe fn is_owned(area: Area, node: u64) -> bool {
    if !present!(kernfs_iattr) || !present!(kernfs_iattr_uid) {
        return false;
    }
    // SAFETY: within the area; `probe`.
    unsafe {
        let word = &raw mut (*area.0).word;
        if !probe(word, node + u64::from(offset!(kernfs_iattr))) || word.read_volatile() == 0 {
            return false;
        }
        let attributes = word.read_volatile();
        probe(word.cast::<u32>(), attributes + u64::from(offset!(kernfs_iattr_uid)))
            && word.cast::<u32>().read_volatile() != 0
    }
}
