//! etcd's JSON gateway: what its `/v3/kv` calls take and answer. Byte strings are base64, 64-bit
//! numbers are strings, and fields that are false, zero or empty are left out.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of an answer at most. A transaction reads three small records.
const MAX_ANSWER: u64 = 1 << 20;

/// One member.
pub(super) struct Member {
    agent: ureq::Agent,
    base: String,
}

/// Why a member gave no answer.
pub(super) enum Fault {
    /// It never got the question.
    NotSent(String),
    /// It may have got it.
    NoAnswer(String),
    /// It says no, and did nothing.
    Refused(String),
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

#[derive(Serialize)]
pub(super) struct RangeRequest {
    pub(super) key: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) range_end: Option<Bytes>,
    pub(super) serializable: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) limit: usize,
    pub(super) keys_only: bool,
}

#[derive(Deserialize)]
pub(crate) struct RangeAnswer {
    #[serde(default)]
    pub(crate) kvs: Vec<KeyValue>,
}

#[derive(Deserialize)]
pub(crate) struct KeyValue {
    pub(crate) key: Bytes,
    #[serde(default = "no_bytes")]
    pub(crate) value: Bytes,
    #[serde(deserialize_with = "number")]
    pub(crate) mod_revision: u64,
}

#[derive(Serialize)]
pub(super) struct TxnRequest {
    pub(super) compare: Vec<Compare>,
    pub(super) success: Vec<Operation>,
    pub(super) failure: Vec<Operation>,
}

#[derive(Serialize)]
pub(super) struct Compare {
    pub(super) key: Bytes,
    pub(super) target: &'static str,
    pub(super) result: &'static str,
    /// Zero for a key that is not there.
    pub(super) mod_revision: String,
}

#[derive(Serialize)]
pub(super) enum Operation {
    #[serde(rename = "request_range")]
    Range { key: Bytes },
    #[serde(rename = "request_put")]
    Put { key: Bytes, value: Bytes },
    #[serde(rename = "request_delete_range")]
    DeleteRange { key: Bytes },
}

#[derive(Deserialize)]
pub(crate) struct TxnAnswer {
    pub(crate) header: Header,
    /// Left out when false.
    #[serde(default)]
    pub(crate) succeeded: bool,
    #[serde(default)]
    pub(crate) responses: Vec<OperationAnswer>,
}

#[derive(Deserialize)]
pub(crate) struct OperationAnswer {
    pub(crate) response_range: Option<RangeAnswer>,
}

#[derive(Deserialize)]
pub(crate) struct Header {
    #[serde(deserialize_with = "number")]
    pub(crate) revision: u64,
}

impl Member {
    pub(super) fn new(
        endpoint: &str,
        timeout: Duration,
        tls: Option<ureq::tls::TlsConfig>,
    ) -> Member {
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_idle_connections_per_host(64);
        if let Some(tls) = tls {
            config = config.tls_config(tls);
        }
        Member { agent: config.build().into(), base: endpoint.trim_end_matches('/').to_owned() }
    }

    pub(super) fn range(&self, request: &RangeRequest) -> Result<RangeAnswer, Fault> {
        self.call("/v3/kv/range", request)
    }

    pub(super) fn txn(&self, request: &TxnRequest) -> Result<TxnAnswer, Fault> {
        self.call("/v3/kv/txn", request)
    }

    fn call<A: DeserializeOwned>(&self, path: &str, request: &impl Serialize) -> Result<A, Fault> {
        let sent = self.agent.post(format!("{}{path}", self.base)).send_json(request);
        let mut response = sent.map_err(|e| match e {
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
                Fault::NotSent(e.to_string())
            }
            ureq::Error::Io(ref io) if io.kind() == std::io::ErrorKind::ConnectionRefused => {
                Fault::NotSent(e.to_string())
            }
            _ => Fault::NoAnswer(e.to_string()),
        })?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
        let body = body.map_err(|e| Fault::NoAnswer(e.to_string()))?;
        match status.as_u16() {
            200 => serde_json::from_slice(&body).map_err(|e| Fault::NoAnswer(e.to_string())),
            // The request itself is at fault: etcd looked at it and did nothing.
            code @ 400..=499 => Err(Fault::Refused(format!("HTTP {code}"))),
            // "etcdserver: request timed out", "leader changed": it may still come about.
            code => Err(Fault::NoAnswer(format!("HTTP {code}"))),
        }
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Bytes).map_err(serde::de::Error::custom)
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn no_bytes() -> Bytes {
    Bytes(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_with_fields_left_out() {
        let txn: TxnAnswer =
            serde_json::from_str(r#"{"header":{"revision":"7","raft_term":"2"}}"#).unwrap();
        assert!(!txn.succeeded && txn.header.revision == 7 && txn.responses.is_empty());
        let range: RangeAnswer = serde_json::from_str(r#"{"header":{"revision":"7"}}"#).unwrap();
        assert!(range.kvs.is_empty());
        let kv: KeyValue =
            serde_json::from_str(r#"{"key":"YQ==","mod_revision":"3","version":"1"}"#).unwrap();
        assert!(kv.key.0 == b"a" && kv.value.0.is_empty() && kv.mod_revision == 3);
    }

    #[test]
    fn requests() {
        let txn = TxnRequest {
            compare: vec![Compare {
                key: Bytes(b"a".to_vec()),
                target: "MOD",
                result: "EQUAL",
                mod_revision: "3".to_owned(),
            }],
            success: vec![
                Operation::Put { key: Bytes(b"a".to_vec()), value: Bytes(b"b".to_vec()) },
                Operation::DeleteRange { key: Bytes(b"c".to_vec()) },
            ],
            failure: Vec::new(),
        };
        assert_eq!(
            serde_json::to_string(&txn).unwrap(),
            concat!(
                r#"{"compare":[{"key":"YQ==","target":"MOD","result":"EQUAL","mod_revision":"3"}],"#,
                r#""success":[{"request_put":{"key":"YQ==","value":"Yg=="}},{"request_delete_range":{"key":"Yw=="}}],"failure":[]}"#
            )
        );
    }
}
