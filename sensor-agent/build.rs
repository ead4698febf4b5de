#[path = "build/commit.rs"]
mod commit;

fn main() {
    commit::emit();
}
