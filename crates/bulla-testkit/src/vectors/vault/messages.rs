//! Message bodies that are valid or have one fault.

use super::base64url::encode;
use super::model::Message;
use crate::vectors::label::bytes;

pub(super) fn vectors() -> Vec<Message> {
    let mut vectors = valid();
    vectors.extend(bounds());
    vectors.extend(invalid());
    vectors
}

fn vector(
    name: &str,
    clause: &str,
    comment: &str,
    message: &str,
    body: String,
    outcome: &str,
) -> Message {
    let [name, clause, comment, message, outcome] =
        [name, clause, comment, message, outcome].map(str::to_owned);
    Message { name, clause, comment, message, body, outcome }
}

/// Returns `len` bytes derived from a label as a JSON string.
fn b64(label: &str, len: usize) -> String {
    format!("\"{}\"", encode(&bytes(label, len)))
}

const STRETCHING: &str = r#"{"passes":3,"memory_kib":65536,"lanes":4}"#;

/// Returns the members of a message in the order in which the library encodes them.
fn fields(message: &str) -> Vec<(&'static str, String)> {
    let reg_id = ("reg_id", b64("vault registration", 32));
    let attempt_id = ("attempt_id", b64("vault attempt", 16));
    let name = b64("vault record name", 32);
    let record = |state: &str, left: u32| {
        format!(r#"{{"name":{name},"state":"{state}","left":{left},"max":10}}"#)
    };
    match message {
        "register_start" => vec![reg_id, ("request", b64("vault request", 32))],
        "register_started" => vec![("response", b64("vault response", 64))],
        "register_finish" => vec![
            reg_id,
            ("upload", b64("vault upload", 192)),
            ("wrapped_key", b64("vault wrapped key", 48)),
            ("max", "10".to_owned()),
            ("stretching", STRETCHING.to_owned()),
        ],
        "register_finished" => vec![("state", "\"pending\"".to_owned())],
        "login_start" => vec![reg_id, attempt_id, ("ke1", b64("vault ke1", 96))],
        "login_started" => vec![
            ("ke2", b64("vault ke2", 320)),
            ("login_token", b64("vault login token", 156)),
            ("left", "9".to_owned()),
            ("stretching", STRETCHING.to_owned()),
        ],
        "login_finish" => vec![
            reg_id,
            attempt_id,
            ("login_token", b64("vault login token", 156)),
            ("ke3", b64("vault ke3", 64)),
        ],
        "login_finished" => vec![("sealed", b64("vault sealed", 148))],
        "delete" => vec![reg_id],
        "delete_announced" => vec![("not_before", "1800000000".to_owned())],
        "status" => vec![("current", record("active", 10)), ("pending", record("pending", 9))],
        "info" => vec![("version", "1".to_owned()), ("public_key", b64("vault public key", 32))],
        "failure" => {
            vec![
                ("code", "429".to_owned()),
                ("retry_after", "60".to_owned()),
                ("left", "3".to_owned()),
            ]
        }
        _ => unreachable!("not a message of the protocol: {message}"),
    }
}

const MESSAGES: [&str; 13] = [
    "register_start",
    "register_started",
    "register_finish",
    "register_finished",
    "login_start",
    "login_started",
    "login_finish",
    "login_finished",
    "delete",
    "delete_announced",
    "status",
    "info",
    "failure",
];
/// The messages that a client sends. Unknown members in these messages are rejected.
const REQUESTS: [&str; 5] =
    ["register_start", "register_finish", "login_start", "login_finish", "delete"];

fn body(fields: &[(&str, String)]) -> String {
    let members: Vec<_> =
        fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Returns the body with one member replaced or added.
fn with(message: &str, name: &'static str, value: &str) -> String {
    let mut fields = fields(message);
    match fields.iter_mut().find(|field| field.0 == name) {
        Some(field) => value.clone_into(&mut field.1),
        None => fields.push((name, value.to_owned())),
    }
    body(&fields)
}

fn valid() -> Vec<Message> {
    let mut vectors: Vec<_> = MESSAGES
        .iter()
        .map(|message| {
            vector(
                message,
                "V-2.1",
                "The message with all its members.",
                message,
                body(&fields(message)),
                "ok",
            )
        })
        .collect();
    let grant = b64("vault grant", 64);
    let mut add = |name: &str, comment: &str, message: &str, body| {
        vectors.push(vector(name, "V-2.1", comment, message, body, "ok"));
    };
    add(
        "register_finish_with_grant",
        "The request contains a grant.",
        "register_finish",
        with("register_finish", "grant", &grant),
    );
    add(
        "register_finished_not_before",
        "Without a grant, the registration is delayed.",
        "register_finished",
        with("register_finished", "not_before", "1800000000"),
    );
    add(
        "delete_with_grant",
        "The request contains a grant.",
        "delete",
        with("delete", "grant", &grant),
    );
    add("status_empty", "No record is registered.", "status", "{}".to_owned());
    add(
        "status_member_null",
        "An optional member may be null.",
        "status",
        r#"{"current":null}"#.to_owned(),
    );
    add(
        "failure_code_only",
        "The reply contains only the code.",
        "failure",
        r#"{"code":410}"#.to_owned(),
    );
    for message in ["login_start", "register_finish"] {
        let mut fields = fields(message);
        fields.reverse();
        let spaced = body(&fields).replace(',', " ,\n\t");
        add(
            &format!("{message}_reordered"),
            "The members are in another order and separated by whitespace.",
            message,
            spaced,
        );
    }
    vectors
}

/// Returns vectors with numbers and lengths at and beyond their bounds.
fn bounds() -> Vec<Message> {
    let mut vectors = Vec::new();
    let mut add = |name: String, clause: &str, message: &str, body: String, ok: bool| {
        let comment =
            if ok { "The value is within its bounds." } else { "The value is out of bounds." };
        vectors.push(vector(
            &name,
            clause,
            comment,
            message,
            body,
            if ok { "ok" } else { "bad_field" },
        ));
    };
    for (max, ok) in
        [("1", true), ("100", true), ("0", false), ("101", false), ("-1", false), ("1.0", false)]
    {
        let name = format!("register_finish_max_{}", max.replace('-', "minus_").replace('.', "_"));
        add(name, "V-4.3", "register_finish", with("register_finish", "max", max), ok);
    }
    for (left, ok) in [("0", true), ("100", true), ("101", false), ("4294967296", false)] {
        add(
            format!("login_started_left_{left}"),
            "V-2.1",
            "login_started",
            with("login_started", "left", left),
            ok,
        );
    }
    for (len, ok) in [(1, true), (512, true), (0, false), (513, false)] {
        let token = b64("vault login token", len);
        let body = with("login_finish", "login_token", &token);
        add(format!("login_finish_token_{len}_bytes"), "V-2.1", "login_finish", body, ok);
    }
    for (passes, memory, lanes, ok) in [
        (1, 8, 1, true),
        (4, 262_144, 16, true),
        (0, 65_536, 4, false),
        (1, 7, 1, false),
        (1, 262_145, 4, false),
        (5, 262_144, 4, false),
        (3, 65_536, 0, false),
        (3, 65_536, 17, false),
    ] {
        let stretching = format!(r#"{{"passes":{passes},"memory_kib":{memory},"lanes":{lanes}}}"#);
        let body = with("login_started", "stretching", &stretching);
        add(format!("stretching_{passes}_{memory}_{lanes}"), "V-3.3", "login_started", body, ok);
    }
    for (code, ok) in [(400, true), (503, true), (200, false), (402, false), (65_936, false)] {
        add(
            format!("failure_code_{code}"),
            "V-2.6",
            "failure",
            with("failure", "code", &code.to_string()),
            ok,
        );
    }
    vectors
}

fn invalid() -> Vec<Message> {
    let mut vectors = Vec::new();
    let mut add =
        |name: String, clause: &str, comment: &str, message: &str, body: String, outcome: &str| {
            vectors.push(vector(&name, clause, comment, message, body, outcome));
        };
    for message in MESSAGES {
        let whole = fields(message);
        let outcome = if REQUESTS.contains(&message) { "bad_field" } else { "ok" };
        let comment = if outcome == "ok" {
            "A reply may have unknown members."
        } else {
            "A request must not have unknown members."
        };
        let extended = [&whole[..], &[("more", "[]".to_owned())]].concat();
        add(
            format!("{message}_unknown_member"),
            "V-2.2",
            comment,
            message,
            body(&extended),
            outcome,
        );
        let duplicated = [&whole[..], &whole[..1]].concat();
        add(
            format!("{message}_duplicate_member"),
            "V-2.2",
            "The first member occurs twice.",
            message,
            body(&duplicated),
            "bad_field",
        );
        if message != "status" {
            add(
                format!("{message}_missing_member"),
                "V-2.2",
                "The first member is missing.",
                message,
                body(&whole[1..]),
                "bad_field",
            );
        }
        let values: Vec<_> = whole.iter().map(|(_, value)| value.as_str()).collect();
        let array = format!("[{}]", values.join(","));
        add(
            format!("{message}_array"),
            "V-2.2",
            "The body is an array of the values.",
            message,
            array,
            "bad_field",
        );
        let complete = body(&whole);
        add(
            format!("{message}_truncated"),
            "V-2.2",
            "The last byte is missing.",
            message,
            complete[..complete.len() - 1].to_owned(),
            "not_json",
        );
    }
    let id = encode(&bytes("vault registration", 32));
    for (name, comment, text) in [
        ("short", "The string encodes 31 bytes.", encode(&bytes("vault registration", 31))),
        ("long", "The string encodes 33 bytes.", encode(&bytes("vault registration", 33))),
        ("padded", "The string is base64url with padding.", format!("{id}=")),
        (
            "other_alphabet",
            "The string uses the base64 alphabet instead of base64url.",
            format!("{}+/", &id[..41]),
        ),
        (
            "unused_bits",
            "An unused bit of the last character is set.",
            format!("{}B", encode(&[0; 32]).split_at(42).0),
        ),
        ("trailing_space", "The string ends with a space.", format!("{} ", &id[..42])),
        ("empty", "The string is empty.", String::new()),
    ] {
        let body = with("delete", "reg_id", &format!("\"{text}\""));
        add(format!("bytes_{name}"), "V-2.3", comment, "delete", body, "bad_field");
    }
    for (name, comment, value) in [
        ("number", "The value is a number instead of a byte string.", "7"),
        ("null", "The value is null instead of a byte string.", "null"),
        ("array", "The value is an array of numbers instead of a byte string.", "[1,2]"),
    ] {
        add(
            format!("type_{name}"),
            "V-2.2",
            comment,
            "delete",
            with("delete", "reg_id", value),
            "bad_field",
        );
    }
    let state = with("register_finished", "state", "\"Pending\"");
    add(
        "state_unknown".to_owned(),
        "V-2.1",
        "The name of a state is in lower case.",
        "register_finished",
        state,
        "bad_field",
    );
    let state = with("register_finished", "state", r#"{"pending":null}"#);
    let comment = "The value is an object instead of a state.";
    add("state_object".to_owned(), "V-2.1", comment, "register_finished", state, "bad_field");
    let stretching = with("login_started", "stretching", "[3,65536,4]");
    let comment = "The value is an array instead of an object.";
    add("stretching_array".to_owned(), "V-2.2", comment, "login_started", stretching, "bad_field");
    let record = format!("[{},\"active\",10,10]", b64("vault record name", 32));
    let record = with("status", "current", &record);
    let comment = "The value is an array instead of an object.";
    add("record_array".to_owned(), "V-2.2", comment, "status", record, "bad_field");
    let whole = body(&fields("delete"));
    add("empty".to_owned(), "V-2.2", "The body is empty.", "delete", String::new(), "not_json");
    add(
        "two_values".to_owned(),
        "V-2.2",
        "The body contains two JSON values.",
        "delete",
        whole.repeat(2),
        "not_json",
    );
    add(
        "not_an_object".to_owned(),
        "V-2.2",
        "The body is a JSON string.",
        "delete",
        "\"delete\"".to_owned(),
        "bad_field",
    );
    let spaces = |len: usize| format!("{}{whole}", " ".repeat(len - whole.len()));
    add(
        "longest".to_owned(),
        "V-2.2",
        "The body has the maximum length, 4096 bytes.",
        "delete",
        spaces(4096),
        "ok",
    );
    add(
        "too_long".to_owned(),
        "V-2.2",
        "The body is one byte longer than the maximum.",
        "delete",
        spaces(4097),
        "too_long",
    );
    vectors
}
