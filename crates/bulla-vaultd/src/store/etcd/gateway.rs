//! Requests and responses for etcd's JSON gateway (`/v3/kv`). Byte strings are encoded in base64,
//! 64-bit numbers are encoded as strings, and fields that are false, zero or empty are omitted.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Maximum bytes in a response. The largest transaction reads four small records.
const MAX_RESPONSE: u64 = 1 << 20;

/// A cluster member.
pub(super) struct Member {
    agent: ureq::Agent,
    base: String,
}

/// The reason a request failed.
pub(super) enum RequestError {
    /// The member did not receive the request.
    NotSent(String),
    /// The member may have received the request.
    NoResponse(String),
    /// The member rejected the request and did nothing.
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
pub(crate) struct RangeResponse {
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
    pub(super) success: Vec<RequestOp>,
    pub(super) failure: Vec<RequestOp>,
}

#[derive(Serialize)]
pub(super) struct Compare {
    pub(super) key: Bytes,
    pub(super) target: &'static str,
    pub(super) result: &'static str,
    /// Zero for a key that does not exist.
    pub(super) mod_revision: String,
}

#[derive(Serialize)]
pub(super) enum RequestOp {
    #[serde(rename = "request_range")]
    Range { key: Bytes },
    #[serde(rename = "request_put")]
    Put { key: Bytes, value: Bytes },
    #[serde(rename = "request_delete_range")]
    DeleteRange { key: Bytes },
}

#[derive(Deserialize)]
pub(crate) struct TxnResponse {
    pub(crate) header: Header,
    /// Omitted if false.
    #[serde(default)]
    pub(crate) succeeded: bool,
    #[serde(default)]
    pub(crate) responses: Vec<ResponseOp>,
}

#[derive(Deserialize)]
pub(crate) struct ResponseOp {
    pub(crate) response_range: Option<RangeResponse>,
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

    pub(super) fn range(&self, request: &RangeRequest) -> Result<RangeResponse, RequestError> {
        self.call("/v3/kv/range", request)
    }

    pub(super) fn txn(&self, request: &TxnRequest) -> Result<TxnResponse, RequestError> {
        self.call("/v3/kv/txn", request)
    }

    fn call<A: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
    ) -> Result<A, RequestError> {
        let sent = self.agent.post(format!("{}{path}", self.base)).send_json(request);
        let mut response = sent.map_err(|e| match e {
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
                RequestError::NotSent(e.to_string())
            }
            ureq::Error::Io(ref io) if io.kind() == std::io::ErrorKind::ConnectionRefused => {
                RequestError::NotSent(e.to_string())
            }
            _ => RequestError::NoResponse(e.to_string()),
        })?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(MAX_RESPONSE).read_to_vec();
        let body = body.map_err(|e| RequestError::NoResponse(e.to_string()))?;
        match status.as_u16() {
            200 => {
                serde_json::from_slice(&body).map_err(|e| RequestError::NoResponse(e.to_string()))
            }
            // The request is invalid, so etcd has not applied it.
            code @ 400..=499 => Err(RequestError::Refused(format!("HTTP {code}"))),
            // "etcdserver: request timed out", "leader changed": it may still be applied.
            code => Err(RequestError::NoResponse(format!("HTTP {code}"))),
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
    fn reads_responses_with_omitted_fields() {
        let txn: TxnResponse =
            serde_json::from_str(r#"{"header":{"revision":"7","raft_term":"2"}}"#).unwrap();
        assert!(!txn.succeeded && txn.header.revision == 7 && txn.responses.is_empty());
        let range: RangeResponse = serde_json::from_str(r#"{"header":{"revision":"7"}}"#).unwrap();
        assert!(range.kvs.is_empty());
        let kv: KeyValue =
            serde_json::from_str(r#"{"key":"YQ==","mod_revision":"3","version":"1"}"#).unwrap();
        assert!(kv.key.0 == b"a" && kv.value.0.is_empty() && kv.mod_revision == 3);
    }

    #[test]
    fn writes_requests_as_etcd_expects_them() {
        let txn = TxnRequest {
            compare: vec![Compare {
                key: Bytes(b"a".to_vec()),
                target: "MOD",
                result: "EQUAL",
                mod_revision: "3".to_owned(),
            }],
            success: vec![
                RequestOp::Put { key: Bytes(b"a".to_vec()), value: Bytes(b"b".to_vec()) },
                RequestOp::DeleteRange { key: Bytes(b"c".to_vec()) },
            ],
            failure: Vec::new(),
        };
        assert_eq!(
            serde_json::to_string(&txn).unwrap(),
            concat!(
                r#"{"compare":[{"key":"YQ==","target":"MOD","#,
                r#""result":"EQUAL","mod_revision":"3"}],"#,
                r#""success":[{"request_put":{"key":"YQ==","value":"Yg=="}},"#,
                r#"{"request_delete_range":{"key":"Yw=="}}],"failure":[]}"#
            )
        );
    }
}
