//! From tokens to a tree.

mod control;
mod pipe;

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use crate::{
    Cause, Error,
    ast::{Body, Node, Tree, Variable},
    functions::Functions,
    lexer::{Keyword, Kind, Token, Tokens, tokens},
};

/// Blocks and parentheses within each other.
const MAX_DEPTH: usize = 64;
/// Variables that are there at the same place. Each is looked for by its name.
const MAX_VARIABLES: usize = 256;

pub(crate) fn parse(text: &str, functions: &Functions) -> Result<Tree, Error> {
    let mut parser = Parser {
        text,
        functions,
        tokens: tokens(text),
        at: 0,
        scope: Scope::default(),
        depth: 0,
        defined: BTreeMap::new(),
    };
    let main = parser.all()?;
    Ok(Tree { main, defined: parser.defined })
}

struct Parser<'a> {
    text: &'a str,
    functions: &'a Functions,
    tokens: Tokens,
    at: usize,
    scope: Scope,
    depth: usize,
    defined: BTreeMap<Arc<[u8]>, Body>,
}

/// What is there within a template: each `define` and `block` has its own.
#[derive(Default)]
struct Scope {
    variables: Vec<Variable>,
    loops: usize,
}

/// What ends a list of nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    End,
    Else,
}

type Parsed<T> = Result<T, Error>;

impl Parser<'_> {
    fn all(&mut self) -> Parsed<Body> {
        let mut body = Body::new();
        while self.peek().kind != Kind::End {
            let before = self.at;
            if self.next().kind == Kind::Open && self.next_word().kind == Kind::Keyword(Keyword::Define) {
                self.definition()?;
                continue;
            }
            self.at = before;
            let place = self.peek().place;
            match self.node()? {
                Item::Node(node) => body.push(node),
                Item::Ending(Ending::End) => return Err(error("unexpected {{end}}", place)),
                Item::Ending(Ending::Else) => return Err(error("unexpected {{else}}", place)),
            }
        }
        Ok(body)
    }

    /// A node, or what ends the list that it would stand in.
    fn node(&mut self) -> Parsed<Item> {
        let token = self.next_word();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text(token.place))),
            Kind::Open => self.action(),
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    /// Nodes up to what ends them.
    fn body(&mut self) -> Parsed<(Body, Ending)> {
        let mut body = Body::new();
        while self.peek_word().kind != Kind::End {
            match self.node()? {
                Item::Node(node) => body.push(node),
                Item::Ending(ending) => return Ok((body, ending)),
            }
        }
        Err(error("unexpected EOF: an {{end}} is missing", self.peek().place))
    }

    /// `define` was read.
    fn definition(&mut self) -> Parsed<()> {
        let name = self.template_name("define clause")?;
        self.expect(Kind::Close, "define clause")?;
        self.template(name, "define clause")
    }

    /// The nodes of a template of this name, up to its end.
    fn template(&mut self, (name, place): (Arc<[u8]>, Range<usize>), context: &str) -> Parsed<()> {
        let outer = std::mem::take(&mut self.scope);
        let (body, ending) = self.body()?;
        self.scope = outer;
        if ending != Ending::End {
            return Err(error(format!("unexpected {{{{else}}}} in {context}"), place));
        }
        match self.defined.get(&name) {
            Some(before) if !self.is_empty(before) => {
                if !self.is_empty(&body) {
                    let name = String::from_utf8_lossy(&name);
                    return Err(error(format!("multiple definition of template {name:?}"), place));
                }
            }
            _ => {
                self.defined.insert(name, body);
            }
        }
        Ok(())
    }

    /// Whether there is nothing but blanks.
    fn is_empty(&self, body: &Body) -> bool {
        body.iter().all(|node| {
            let Node::Text(place) = node else { return false };
            self.text.get(place.clone()).is_none_or(|text| text.trim().is_empty())
        })
    }

    /// Runs a part one level deeper.
    fn deeper<T>(&mut self, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Error { cause: Cause::Limit, ..error("it is nested too deep here", self.peek().place) });
        }
        self.depth += 1;
        let parsed = part(self);
        self.depth -= 1;
        parsed
    }

    fn declare(&mut self, variable: Variable, place: Range<usize>) -> Parsed<()> {
        if self.scope.variables.len() >= MAX_VARIABLES {
            return Err(Error { cause: Cause::Limit, ..error("there are too many variables here", place) });
        }
        self.scope.variables.push(variable);
        Ok(())
    }

    fn peek(&self) -> Token {
        let end = self.text.len();
        self.tokens.list.get(self.at).cloned().unwrap_or(Token { kind: Kind::End, place: end..end })
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    /// The next token that is no blank.
    fn next_word(&mut self) -> Token {
        self.peek_word();
        self.next()
    }

    /// Skips a blank.
    fn peek_word(&mut self) -> Token {
        while self.peek().kind == Kind::Blank {
            self.at += 1;
        }
        self.peek()
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token> {
        let token = self.next_word();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(&token, context)) }
    }

    fn written(&self, token: &Token) -> &str {
        self.text.get(token.place.clone()).unwrap_or_default()
    }

    fn unexpected(&self, token: &Token, context: &str) -> Error {
        let message = match token.kind {
            Kind::Error => self.tokens.error.clone(),
            Kind::End => "unexpected EOF".to_owned(),
            Kind::Close if context.ends_with("clause") || context == "input" => format!("unexpected }}}} in {context}"),
            Kind::Keyword(_) => format!("unexpected <{}> in {context}", self.written(token)),
            _ => format!("unexpected {:?} in {context}", self.written(token)),
        };
        error(message, token.place.clone())
    }
}

enum Item {
    Node(Node),
    Ending(Ending),
}

fn error(message: impl Into<String>, place: Range<usize>) -> Error {
    Error { message: message.into(), place, cause: Cause::Template }
}
