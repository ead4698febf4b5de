//! Actions that steer.

use std::{ops::Range, sync::Arc};

use super::{Ending, Item, Parsed, Parser, error};
use crate::{
    ast::{Branch, Loop, Node},
    lexer::{Keyword, Kind},
    literal,
};

impl Parser<'_> {
    /// An action; `{{` was read.
    pub(super) fn action(&mut self) -> Parsed<Item> {
        let before = self.at;
        let token = self.next_word();
        let Kind::Keyword(keyword) = token.kind else {
            self.at = before;
            return Ok(Item::Node(Node::Action(self.pipe("command", Kind::Close)?)));
        };
        Ok(Item::Node(match keyword {
            Keyword::If => self.deeper(|parser| parser.branch(false))?,
            Keyword::With => self.deeper(|parser| parser.branch(true))?,
            Keyword::Range => self.deeper(Self::range)?,
            Keyword::Block => self.deeper(Self::block)?,
            Keyword::Template => self.call()?,
            Keyword::Break => self.leave(Node::Break, "{{break}}")?,
            Keyword::Continue => self.leave(Node::Continue, "{{continue}}")?,
            Keyword::End => {
                self.expect(Kind::Close, "end")?;
                return Ok(Item::Ending(Ending::End));
            }
            Keyword::Else => {
                // Of `{{else if …}}` the rest is left to the branch that it goes on.
                if !matches!(self.peek_word().kind, Kind::Keyword(Keyword::If | Keyword::With)) {
                    self.expect(Kind::Close, "else")?;
                }
                return Ok(Item::Ending(Ending::Else));
            }
            Keyword::Define | Keyword::False | Keyword::Nil | Keyword::True => {
                self.at = before;
                Node::Action(self.pipe("command", Kind::Close)?)
            }
        }))
    }

    fn leave(&mut self, node: Node, written: &str) -> Parsed<Node> {
        let close = self.expect(Kind::Close, written)?;
        if self.scope.loops == 0 {
            return Err(error(format!("{written} outside {{{{range}}}}"), close.place));
        }
        Ok(node)
    }

    fn branch(&mut self, with: bool) -> Parsed<Node> {
        let (context, again) = if with { ("with", Keyword::With) } else { ("if", Keyword::If) };
        let variables = self.scope.variables.len();
        let mut branch = Branch { with, arms: Vec::new(), otherwise: Vec::new() };
        loop {
            let pipe = self.pipe(context, Kind::Close)?;
            let (body, ending) = self.body()?;
            branch.arms.push((pipe, body));
            if ending == Ending::End {
                break;
            }
            if self.peek().kind == Kind::Keyword(again) {
                self.next();
                continue;
            }
            branch.otherwise = self.otherwise()?;
            break;
        }
        self.scope.variables.truncate(variables);
        Ok(Node::Branch(branch))
    }

    fn range(&mut self) -> Parsed<Node> {
        let variables = self.scope.variables.len();
        let pipe = self.pipe("range", Kind::Close)?;
        self.scope.loops += 1;
        let (body, ending) = self.body()?;
        self.scope.loops -= 1;
        let otherwise = if ending == Ending::Else { self.otherwise()? } else { Vec::new() };
        self.scope.variables.truncate(variables);
        Ok(Node::Loop(Loop { pipe, body, otherwise }))
    }

    /// What comes behind `{{else}}`.
    fn otherwise(&mut self) -> Parsed<Vec<Node>> {
        let place = self.peek().place;
        let (body, ending) = self.body()?;
        if ending == Ending::Else {
            return Err(error("expected end; found {{else}}", place));
        }
        Ok(body)
    }

    fn block(&mut self) -> Parsed<Node> {
        let (name, place) = self.template_name("block clause")?;
        let pipe = self.pipe("block clause", Kind::Close)?;
        self.template((name.clone(), place.clone()), "block clause")?;
        Ok(Node::Call { name, pipe: Some(pipe), place })
    }

    fn call(&mut self) -> Parsed<Node> {
        let (name, place) = self.template_name("template clause")?;
        let pipe = if self.peek_word().kind == Kind::Close {
            self.next();
            None
        } else {
            Some(self.pipe("template clause", Kind::Close)?)
        };
        Ok(Node::Call { name, pipe, place })
    }

    pub(super) fn template_name(&mut self, context: &str) -> Parsed<(Arc<[u8]>, Range<usize>)> {
        let token = self.next_word();
        if !matches!(token.kind, Kind::Quoted | Kind::Raw) {
            return Err(self.unexpected(&token, context));
        }
        let name = literal::text(self.written(&token)).map_err(|message| error(message, token.place.clone()))?;
        Ok((name.into(), token.place))
    }
}
