//! The chapters of the runbook: their blocks in order, and the marks between which something happens.

use super::world::World;
use crate::support::project_file;
use std::collections::VecDeque;

pub const PAGE: &str = "docs/operations.md";

/// A fenced block: the line that it begins at, what stands behind its fence, and its text.
struct Block {
    line: usize,
    kind: String,
    text: String,
}

enum Part {
    Block(Block),
    /// `<!-- then: … -->`: what its test brings about there.
    Mark(String),
}

/// What is left of a chapter.
pub struct Chapter {
    title: String,
    parts: VecDeque<Part>,
}

/// The titles of the chapters.
pub fn titles() -> Vec<String> {
    project_file(PAGE).lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned).collect()
}

impl Chapter {
    /// That of a title; what stands before the first one has none.
    pub fn named(title: &str) -> Self {
        let page = project_file(PAGE);
        let (mut parts, mut open, mut is_here) = (VecDeque::new(), None::<Block>, title.is_empty());
        for (number, line) in page.lines().enumerate() {
            match (&mut open, line.strip_prefix("```")) {
                (Some(_), Some("")) => parts.extend(open.take().filter(|_| is_here).map(Part::Block)),
                (Some(block), _) => block.text.push_str(&format!("{line}\n")),
                (None, Some(kind)) => open = Some(Block { line: number + 1, kind: kind.into(), text: String::new() }),
                (None, None) => {
                    if let Some(own) = line.strip_prefix("## ") {
                        is_here = own == title;
                    }
                    let mark = line.strip_prefix("<!-- then: ").and_then(|rest| rest.strip_suffix(" -->"));
                    parts.extend(mark.filter(|_| is_here).map(|mark| Part::Mark(mark.to_owned())));
                }
            }
        }
        assert!(open.is_none(), "{PAGE}: a block is not closed");
        assert!(!parts.is_empty(), "{PAGE} has no chapter `{title}` with blocks");
        Self { title: title.to_owned(), parts }
    }

    /// Runs the blocks up to a mark.
    pub fn until(&mut self, mark: &str, world: &World) {
        loop {
            match self.parts.pop_front() {
                Some(Part::Block(block)) => run(&block, world),
                Some(Part::Mark(own)) if own == mark => return,
                Some(Part::Mark(own)) => panic!("{PAGE}: `{own}` stands before `{mark}` in `{}`", self.title),
                None => panic!("{PAGE}: `<!-- then: {mark} -->` is missing in `{}`", self.title),
            }
        }
    }

    /// Runs all that is left.
    pub fn rest(mut self, world: &World) {
        for part in self.parts.drain(..) {
            match part {
                Part::Block(block) => run(&block, world),
                Part::Mark(own) => panic!("{PAGE}: nobody brings about `{own}` of `{}`", self.title),
            }
        }
    }
}

fn run(block: &Block, world: &World) {
    let at = format!("{PAGE}:{}", block.line);
    match block.kind.as_str() {
        "sh" => {
            let (code, printed) = world.run(&block.text);
            assert_eq!(code, Some(0), "{at}:\n{}{printed}", block.text);
        }
        "console" => console(&block.text, world, &at),
        "log" => block.text.lines().for_each(|line| world.wait_for_log(line, &at)),
        "toml" => world.edit(&block.text),
        other => panic!("{at}: no test runs a block of `{other}`"),
    }
}

/// Commands, each behind `$ `, with what they print.
fn console(text: &str, world: &World, at: &str) {
    for part in format!("\n{text}").split("\n$ ").skip(1) {
        let (command, expected) = part.split_once('\n').unwrap_or((part, ""));
        world.prints(command, expected, at);
    }
}
