//! Expressions of filters (`where:`), in CEL, the Common Expression Language. What a filter's text is otherwise, is in
//! [`wire::Query`]; this part is the server's alone.
//!
//! CEL has no loops but those over a list or map that is there, and each evaluation ends. How long it takes is bounded besides:
//! by the text's length, by how deep it nests, by leaving out what builds lists or text in a loop, by loops that stand in no
//! other loop, and, for each record, by a budget of steps, which is counted before they are made.

use cel::{
    Context, Env, Value,
    common::{
        ast::{EntryExpr, Expr, IdedExpr, SourceInfo},
        value::{CowVal, Val},
    },
    context::VariableResolver,
    objects::{Key, Map},
};
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, LazyLock, OnceLock},
};
use wire::{DataView, QueryError, QueryFault, RecordView};

/// What an expression can name.
const VARIABLES: [&str; 7] = ["key", "value", "headers", "topic", "partition", "offset", "timestamp"];
/// What it can call. Not `map`, which builds lists, and not `matches`, which would read its pattern anew for each record.
const FUNCTIONS: [&str; 13] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "type",
    "has",
    "hasValue",
    "orValue",
];
/// What goes through a list or a map: the first argument names the element.
const LOOPS: [&str; 5] = ["all", "exists", "exists_one", "existsOne", "filter"];
/// How deep an expression may nest.
const MAX_DEPTH: usize = 24;
/// The most steps that an evaluation may take: some milliseconds in the worst case.
const MAX_STEPS: usize = 50_000;
/// So many bytes of a record make every step that looks at them as dear as another one.
const BYTES_OF_A_STEP: usize = 1024;

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// An expression that was read.
#[derive(Debug)]
pub(crate) struct Expression {
    tree: IdedExpr,
    /// How many nodes it has, and how many of them are in loops.
    nodes: usize,
    in_loops: usize,
    /// How many elements its own lists and maps have.
    elements: usize,
    /// What the record has to be taken apart for.
    uses_value: bool,
    uses_headers: bool,
}

impl Expression {
    /// Reads an expression.
    pub fn read(source: &wire::Expression) -> Result<Self, QueryError> {
        let error = |at: usize, why: String| QueryError {
            at: u32::try_from(source.at + at).unwrap_or(u32::MAX),
            fault: QueryFault::Expression(why),
        };
        // Without macros first: a loop is then a call as it was written.
        let parsed = Env::default().parser().parse_with_source_info(&source.text);
        let (written, places) = parsed.map_err(|errors| match errors.errors.first() {
            Some(first) => error(byte_of(&source.text, first.pos), shortened(&first.msg)),
            None => error(0, "not an expression".into()),
        })?;
        let mut check =
            Check { names: VARIABLES.map(String::from).into(), used: Vec::new(), nodes: 0, in_loops: 0, elements: 0 };
        check.node(&written, 0, false).map_err(|(id, why)| error(place_of(&source.text, &places, id), why))?;
        let Check { used, nodes, in_loops, elements, .. } = check;
        let (uses_value, uses_headers) = (used.contains(&"value"), used.contains(&"headers"));
        let tree = ENV.parser().parse(&source.text).map_err(|errors| error(0, shortened(&errors.to_string())))?;
        Ok(Self { tree, nodes, in_loops, elements, uses_value, uses_headers })
    }

    /// Whether a record is wanted; nothing where that can't be said: the expression fails on it, or is no yes or no, or would
    /// take too long.
    pub fn judge(&self, record: &RecordView<'_>) -> Option<bool> {
        let variables = Variables::of(self, record);
        let looked_at = record.value.map_or(0, |value| value.head.len()) + record.key.map_or(0, |key| key.head.len());
        let steps = self.nodes + self.in_loops * (variables.elements + self.elements);
        if steps.saturating_mul(1 + looked_at / BYTES_OF_A_STEP) > MAX_STEPS {
            return None;
        }
        // Others' code, on others' data: a mistake in it must not end the tabs that ask for it.
        let result = catch_unwind(AssertUnwindSafe(|| {
            let mut context = Context::with_env(Arc::clone(&ENV));
            context.set_variable_resolver(&variables);
            Value::resolve(&self.tree, &context)
        }));
        match result {
            Ok(Ok(Value::Bool(is_wanted))) => Some(is_wanted),
            _ => None,
        }
    }
}

/// Looks an expression through before it is used.
struct Check {
    /// What can be named here.
    names: Vec<String>,
    used: Vec<&'static str>,
    nodes: usize,
    in_loops: usize,
    elements: usize,
}

/// The node that is not taken, and why.
type Refused = (u64, String);

impl Check {
    fn node(&mut self, node: &IdedExpr, depth: usize, in_loop: bool) -> Result<(), Refused> {
        let refuse = |why: String| Err((node.id, why));
        if depth > MAX_DEPTH {
            return refuse("nested too deep".into());
        }
        self.nodes += 1;
        self.in_loops += usize::from(in_loop);
        let depth = depth + 1;
        match &node.expr {
            Expr::Ident(name) => {
                if !self.names.contains(name) {
                    return refuse(format!("unknown: {name} (there are {})", VARIABLES.join(", ")));
                }
                self.used.extend(VARIABLES.iter().find(|variable| *variable == name));
                Ok(())
            }
            Expr::Literal(_) => Ok(()),
            Expr::Select(select) => self.node(&select.operand, depth, in_loop),
            Expr::List(list) => {
                self.elements += list.elements.len();
                list.elements.iter().try_for_each(|element| self.node(element, depth, in_loop))
            }
            Expr::Map(map) => {
                self.elements += map.entries.len();
                map.entries.iter().try_for_each(|entry| match &entry.expr {
                    EntryExpr::MapEntry(entry) => {
                        self.node(&entry.key, depth, in_loop)?;
                        self.node(&entry.value, depth, in_loop)
                    }
                    EntryExpr::StructField(field) => self.node(&field.value, depth, in_loop),
                })
            }
            Expr::Call(call) => {
                if let Some(target) = &call.target {
                    self.node(target, depth, in_loop)?;
                }
                let name = call.func_name.as_str();
                if !LOOPS.contains(&name) {
                    let is_operator = !name.starts_with(|c: char| c.is_ascii_alphabetic());
                    if !is_operator && !FUNCTIONS.contains(&name) {
                        return refuse(format!("unknown function: {name}"));
                    }
                    return call.args.iter().try_for_each(|argument| self.node(argument, depth, in_loop));
                }
                if in_loop {
                    return refuse("a loop in a loop".into());
                }
                let (Some(_), [IdedExpr { expr: Expr::Ident(element), .. }, condition]) = (&call.target, &*call.args)
                else {
                    return refuse(format!("written as list.{name}(x, condition)"));
                };
                self.names.push(element.clone());
                self.node(condition, depth, true)?;
                self.names.pop();
                Ok(())
            }
            Expr::Struct(_) | Expr::Comprehension(_) | Expr::Unspecified => refuse("not taken here".into()),
        }
    }
}

/// What an expression can name, of one record.
struct Variables<'a> {
    record: &'a RecordView<'a>,
    value: OnceLock<Box<dyn Val>>,
    headers: OnceLock<Box<dyn Val>>,
    /// How many elements a loop can go through at most.
    elements: usize,
}

impl<'a> Variables<'a> {
    fn of(expression: &Expression, record: &'a RecordView<'a>) -> Self {
        let mut elements = 0;
        let (value, headers) = (OnceLock::new(), OnceLock::new());
        if expression.uses_value
            && let Ok(parsed) = value_of(record.value, &mut elements).try_into()
        {
            let _ = value.set(parsed);
        }
        if expression.uses_headers {
            let named = record.headers.iter().map(|header| (Key::from(header.name.to_owned()), text_of(header.value)));
            let named: HashMap<_, _> = named.collect();
            elements += named.len();
            if let Ok(map) = map_of(named).try_into() {
                let _ = headers.set(map);
            }
        }
        Self { record, value, headers, elements }
    }
}

impl VariableResolver for Variables<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let value: Value = match variable {
            "value" => return Some(CowVal::Borrowed(self.value.get()?.as_ref())),
            "headers" => return Some(CowVal::Borrowed(self.headers.get()?.as_ref())),
            "key" => text_of(self.record.key),
            "topic" => self.record.topic.into(),
            "partition" => Value::Int(self.record.partition.into()),
            "offset" => Value::Int(self.record.offset),
            "timestamp" => self.record.timestamp.millis().map_or(Value::Null, Value::Int),
            _ => return None,
        };
        value.try_into().ok().map(CowVal::Owned)
    }
}

/// Text where it is text, else bytes; null where there is none.
fn text_of(data: Option<DataView<'_>>) -> Value {
    match data {
        None => Value::Null,
        Some(data) => match data.text() {
            Some(text) => text.into(),
            None => Value::Bytes(Arc::new(data.head.to_vec())),
        },
    }
}

/// What JSON says where it is JSON (which the head of a cut value is not), else text or bytes.
fn value_of(data: Option<DataView<'_>>, elements: &mut usize) -> Value {
    let whole = data.filter(|data| !data.is_cut());
    match whole.and_then(|data| serde_json::from_slice(data.head).ok()) {
        Some(json) => from_json(json, elements),
        None => text_of(data),
    }
}

fn from_json(json: serde_json::Value, elements: &mut usize) -> Value {
    *elements += 1;
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(it) => Value::Bool(it),
        serde_json::Value::Number(number) => {
            let signed = number.as_i64().map(Value::Int);
            let whole = signed.or_else(|| number.as_u64().map(Value::UInt));
            whole.or_else(|| number.as_f64().map(Value::Float)).unwrap_or(Value::Null)
        }
        serde_json::Value::String(text) => text.into(),
        serde_json::Value::Array(list) => {
            Value::List(Arc::new(list.into_iter().map(|element| from_json(element, elements)).collect()))
        }
        serde_json::Value::Object(object) => {
            let entries = object.into_iter().map(|(name, value)| (Key::from(name), from_json(value, elements)));
            map_of(entries.collect())
        }
    }
}

fn map_of(entries: HashMap<Key, Value>) -> Value {
    Value::Map(Map { map: Arc::new(entries) })
}

/// Where a node of an expression begins in its text, in bytes.
fn place_of(text: &str, places: &SourceInfo, id: u64) -> usize {
    places.offset_for(id).map_or(0, |(start, _)| text.floor_char_boundary(start as usize))
}

/// The byte of a place that is told by line and column, both from 1, the column in characters.
fn byte_of(text: &str, (line, column): (isize, isize)) -> usize {
    let index = |of: isize| usize::try_from(of - 1).unwrap_or(0);
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines.by_ref().take(index(line)).map(str::len).sum();
    let line = lines.next().unwrap_or_default();
    before + line.char_indices().nth(index(column)).map_or(line.len(), |(at, _)| at)
}

/// What is wrong, without the list of what would be right: that is the whole grammar.
fn shortened(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    message.split(" expecting ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};
    use wire::{Flags, HeaderView, Timestamp};

    fn read(text: &str) -> Result<Expression, QueryError> {
        Expression::read(&wire::Expression { at: 0, text: text.into() })
    }

    fn judge_value(text: &str, value: Option<&[u8]>) -> Option<bool> {
        let header = HeaderView { name: "trace", value: Some(DataView::cut(b"abc", 9)) };
        let record = RecordView {
            seq: 1,
            topic: "orders",
            partition: 2,
            offset: 1043,
            timestamp: Timestamp::Created(1_790_000_000_000),
            received: 0,
            flags: Flags::FIRST,
            key: Some(DataView::cut(b"cust-9", 9)),
            value: value.map(|value| DataView::cut(value, wire::record_limits::VALUE_HEAD)),
            headers: &[header],
            headers_left_out: 0,
        };
        read(text).unwrap_or_else(|error| panic!("{text}: {error}")).judge(&record)
    }

    fn judge(text: &str) -> Option<bool> {
        const VALUE: &[u8] = br#"{"total": 120.5, "id": 9007199254740993, "unsigned": 18446744073709551615,
            "items": [{"sku": "a", "n": 2}, {"sku": "b", "n": 0}], "note": null, "name": "Ann"}"#;
        judge_value(text, Some(VALUE))
    }

    #[test]
    fn an_expression_sees_the_whole_record() {
        for text in [
            "true",
            "key == 'cust-9' && key.startsWith('cust') && !key.contains('x')",
            "topic == 'orders' && partition == 2 && offset == 1043",
            "timestamp > 1789999999999",
            "headers.trace == 'abc' && 'trace' in headers && size(headers) == 1",
            "value.total > 100 && value.total < 120.6",
            "value.id == 9007199254740993 && value.id != 9007199254740992",
            "value.unsigned == 18446744073709551615u",
            "value.name in ['Ann', 'Bob']",
            "value.items.exists(item, item.sku == 'b' && item.n == 0)",
            "value.items.all(item, item.n < 3) && value.items.filter(i, i.n > 0).size() == 1",
            "value.items[0].sku == 'a'",
            "value.note == null && !has(value.gone) && has(value.note)",
            "value.?gone.orValue(7) == 7",
            "(offset % 2 == 1 ? 'odd' : 'even') == 'odd'",
        ] {
            assert_eq!(judge(text), Some(true), "{text}");
        }
        assert_eq!(judge("value.total > 1000"), Some(false));
    }

    #[test]
    fn a_value_is_json_or_text_or_bytes_or_null() {
        assert_eq!(judge_value("value == 'hello'", Some(b"hello")), Some(true));
        assert_eq!(judge_value("value == 42", Some(b"42")), Some(true));
        assert_eq!(judge_value("value == b'\\xff'", Some(b"\xff")), Some(true));
        assert_eq!(judge_value("value == null", None), Some(true));
        assert_eq!(judge_value("value == ''", Some(b"")), Some(true));
    }

    #[test]
    fn what_fails_on_a_record_is_neither_yes_nor_no() {
        for text in [
            "value.gone > 1",
            "value.name > 1",
            "value",
            "1 / (offset - 1043) == 1",
            "key + 1 == ''",
            "value.items[7].n == 1",
        ] {
            assert_eq!(judge(text), None, "{text}");
        }
    }

    #[test]
    fn what_can_not_be_read_says_where() {
        for (text, at) in [
            ("value.total >", 13),
            ("valeu.total > 1", 0),
            ("key == '週末' && vlaue", 19),
            ("key == '週末' && && key", 19),
            ("1 +\n+ foo", 4),
            ("matches(key, 'x')", 7),
            ("true && key.matches('x')", 19),
            ("value.items.map(x, x)", 15),
            ("value.items.all(x, value.items.all(y, true))", 34),
            ("value.items.all(x)", 15),
            ("Foo{a: 1}", 3),
        ] {
            let error = read(text).expect_err(text);
            assert!(matches!(error.fault, QueryFault::Expression(_)));
            assert_eq!(error.at, at, "{text}: {error}");
        }
        assert!(read("").is_err() && read("\"").is_err() && read("((((").is_err());
        let element = read("value.items.all(x, true) && x == 1").expect_err("x is known in its loop only");
        assert!(element.fault.to_string().contains("unknown: x"));
    }

    #[test]
    fn an_expression_that_nests_too_deep_is_refused_and_the_deepest_one_is_judged() {
        let nested = |depth: usize| format!("{}true{}", "!(".repeat(depth), ")".repeat(depth));
        assert!(read(&nested(300)).is_err());
        assert!(read(&format!("value{}", ".a".repeat(500))).is_err());
        assert!(read(&format!("1{} == 1", "+1".repeat(500))).is_err());
        let deepest = (1..40).rev().map(nested).find(|text| read(text).is_ok()).expect("some can be read");
        assert!(judge(&deepest).is_some(), "{deepest}");
        assert!(judge(&format!("{} true", "true &&".repeat(100))).is_some());
    }

    /// Not what is usual, but the worst that was thought of: a check on the budget, with room for a slow machine.
    #[test]
    fn the_worst_expression_on_the_worst_record_ends_soon() {
        let list: String = format!("[{}]", vec!["1"; 16_000].join(","));
        let text = format!("value.all(x, {} x == 1)", "x == 1 && ".repeat(90));
        for elements in [10, 100, 1000, 16_000] {
            let value = &list.as_bytes()[..2 * elements];
            let value = [value, &b"]"[..]].concat();
            let began = Instant::now();
            let verdict = judge_value(&text, Some(&value));
            assert!(began.elapsed() < Duration::from_millis(500), "{elements}: {:?}", began.elapsed());
            assert_eq!(verdict.is_some(), elements <= 100, "{elements}");
        }
        let began = Instant::now();
        for text in ["(", "a?", "[", "!", "-", "a.b(", "1+", "{", "'", "a[", "((a)?", "\u{1}"] {
            let _ = read(&text.repeat(wire::Filter::MAX_TEXT / text.len()));
        }
        assert!(began.elapsed() < Duration::from_secs(5), "reading took {:?}", began.elapsed());
    }
}
