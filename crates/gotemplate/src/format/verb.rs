//! A value by a verb.

use super::Printer;
use crate::{
    functions::Failure,
    quote::{fits_backquotes, quoted, quoted_letter},
    unicode::letters,
    value::Value,
};

type Done = Result<(), Failure>;

impl Printer<'_, '_, '_> {
    pub(super) fn argument(&mut self, value: &Value, verb: char) -> Done {
        match (verb, value) {
            ('T' | 'v', Value::Nothing) => self.pad(b"<nil>"),
            ('T', value) => self.pad_cut(value.type_name().as_bytes()),
            ('p', Value::List(_) | Value::Map(_)) => Err("%p: addresses are not supported".into()),
            ('p' | 'w', value) => self.bad_verb(value, verb),
            _ => self.value(value, verb),
        }
    }

    fn value(&mut self, value: &Value, verb: char) -> Done {
        self.budget.steps(1)?;
        match value {
            Value::Nothing => self.bad_verb(value, verb),
            Value::Bool(truth) if matches!(verb, 't' | 'v') => {
                self.pad(if *truth { b"true".as_slice() } else { b"false" })
            }
            Value::Bool(_) => self.bad_verb(value, verb),
            Value::Float(number) => match verb {
                'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'v' => self.float(*number, verb),
                'b' | 'x' | 'X' => Err(format!("%{verb} of a float is not supported").into()),
                _ => self.bad_verb(value, verb),
            },
            Value::Text(text) => self.text(value, text, verb),
            Value::List(_) | Value::Map(_) | Value::Structure(_) if self.flags.sharp_v => {
                Err(format!("%#v of {} is not supported", value.type_name()).into())
            }
            Value::List(list) => {
                self.push("[")?;
                for (item, at) in list.items().iter().zip(0..) {
                    self.push(if at > 0 { " " } else { "" })?;
                    self.value(item, verb)?;
                }
                self.push("]")
            }
            Value::Map(map) => {
                self.push("map[")?;
                for ((key, item), at) in map.iter().zip(0..) {
                    self.push(if at > 0 { " " } else { "" })?;
                    self.value(&Value::Text(key.clone()), verb)?;
                    self.push(":")?;
                    self.value(item, verb)?;
                }
                self.push("]")
            }
            Value::Structure(structure) => {
                self.push("{")?;
                for ((name, field), at) in structure.fields().iter().zip(0..) {
                    self.push(if at > 0 { " " } else { "" })?;
                    if self.flags.plus_v {
                        self.push(name)?;
                        self.push(":")?;
                    }
                    self.value(field, verb)?;
                }
                self.push("}")
            }
            Value::Int(_) | Value::Int64(_) => self.whole(value, true, verb),
            Value::Uint8(_) | Value::Uint32(_) | Value::Uint64(_) => self.whole(value, false, verb),
        }
    }

    fn whole(&mut self, value: &Value, is_signed: bool, verb: char) -> Done {
        let number = value.integer().unwrap_or_default();
        match verb {
            'v' if self.flags.sharp_v && !is_signed => self.hexadecimal_by_itself(number),
            'd' | 'v' => self.integer(number, 10, verb),
            'b' => self.integer(number, 2, verb),
            'o' | 'O' => self.integer(number, 8, verb),
            'x' | 'X' => self.integer(number, 16, verb),
            'c' => self.pad(letter_of(number).encode_utf8(&mut [0; 4]).as_bytes()),
            'q' => self.pad(&quoted_letter(letter_of(number), self.flags.plus)),
            'U' => self.unicode(number),
            _ => self.bad_verb(value, verb),
        }
    }

    fn text(&mut self, value: &Value, text: &[u8], verb: char) -> Done {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(text),
            'v' | 's' => self.pad_cut(text),
            'q' => self.quoted(text),
            'x' => self.bytes(text, false),
            'X' => self.bytes(text, true),
            _ => self.bad_verb(value, verb),
        }
    }

    /// `%!d(string=a)`
    fn bad_verb(&mut self, value: &Value, verb: char) -> Done {
        self.push(format!("%!{verb}("))?;
        if *value == Value::Nothing {
            self.push("<nil>")?;
        } else {
            self.push(value.type_name())?;
            self.push("=")?;
            self.value(value, 'v')?;
        }
        self.push(")")
    }

    /// Not longer than is asked for, and as wide.
    fn pad_cut(&mut self, text: &[u8]) -> Done {
        self.pad(self.cut(text))
    }

    fn cut<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else { return text };
        let len: usize = letters(text).take(precision).map(|(_, len)| len).sum();
        text.get(..len).unwrap_or(text)
    }

    fn quoted(&mut self, text: &[u8]) -> Done {
        let text = self.cut(text);
        self.budget.grow(self.out.len(), text.len())?;
        if self.flags.sharp && fits_backquotes(text) {
            return self.pad(&[b"`", text, b"`"].concat());
        }
        self.pad(&quoted(text, self.flags.plus))
    }

    /// The bytes of a text in hexadecimal digits.
    fn bytes(&mut self, text: &[u8], upper: bool) -> Done {
        let text = text.get(..self.flags.precision.unwrap_or(text.len())).unwrap_or(text);
        let prefix = match (self.flags.sharp, upper) {
            (false, _) => "",
            (true, false) => "0x",
            (true, true) => "0X",
        };
        self.budget.grow(self.out.len(), text.len().saturating_mul(2))?;
        let mut digits = String::new();
        for (byte, at) in text.iter().zip(0..) {
            if at == 0 || self.flags.space {
                digits.push_str(if at > 0 { " " } else { "" });
                digits.push_str(prefix);
            }
            digits.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        }
        self.pad(digits.as_bytes())
    }
}

fn letter_of(number: i128) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}
