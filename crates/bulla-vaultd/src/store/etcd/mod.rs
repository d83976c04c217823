//! The store for several data centres: an etcd cluster. It uses only compare-and-swap transactions,
//! because etcd's leases and locks do not guarantee what a counter requires during pauses and
//! partitions.

pub(crate) mod gateway;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use super::{
    Change, Commit, Held, RecordKey, RecordKind, Store, StoreError, Transaction, Versioned,
};
use crate::record::Account;
use gateway::{
    Bytes, Compare, Member, RangeRequest, RangeResponse, RequestError, RequestOp, ResponseOp,
    TxnRequest, TxnResponse,
};

/// Options for an etcd cluster.
#[derive(Debug, Clone)]
pub struct EtcdOptions {
    /// The client URL of **every** member, because confirmations are counted across all members.
    pub endpoints: Vec<String>,
    /// The prefix for all keys.
    pub prefix: String,
    /// Number of members that must hold a change. Defaults to one more than a majority, but at most
    /// the number of members.
    pub confirm: Option<usize>,
    /// Timeout for a request to a member.
    pub timeout: Duration,
    /// The CA certificate for the members, in PEM.
    pub ca: Option<PathBuf>,
    /// The client certificate and its key, in PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A store in an etcd cluster.
pub struct Etcd {
    members: Vec<Member>,
    prefix: Vec<u8>,
    needed: usize,
    /// Index of the member that responded last.
    preferred: AtomicUsize,
}

impl EtcdOptions {
    /// Returns options for a cluster without TLS, for example on loopback.
    pub fn new(endpoints: Vec<String>) -> EtcdOptions {
        EtcdOptions {
            endpoints,
            prefix: "/bulla-vault/".to_owned(),
            confirm: None,
            timeout: Duration::from_secs(1),
            ca: None,
            identity: None,
        }
    }

    fn tls(&self) -> Result<Option<TlsConfig>, StoreError> {
        let unreadable = |path: &PathBuf, e: &dyn std::fmt::Display| {
            StoreError::Unavailable(format!("{}: {e}", path.display()))
        };
        let read = |path: &PathBuf| std::fs::read(path).map_err(|e| unreadable(path, &e));
        let Some(ca) = &self.ca else { return Ok(None) };
        let roots = Certificate::from_pem(&read(ca)?).map_err(|e| unreadable(ca, &e))?;
        let mut tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&[roots]));
        if let Some((certificate, key)) = &self.identity {
            let chain = Certificate::from_pem(&read(certificate)?)
                .map_err(|e| unreadable(certificate, &e))?;
            let key = PrivateKey::from_pem(&read(key)?).map_err(|e| unreadable(key, &e))?;
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&[chain], key)));
        }
        Ok(Some(tls.build()))
    }
}

impl Etcd {
    /// Creates a store without making any requests yet.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Unavailable`] if a certificate cannot be read, or if `confirm` is not
    /// a majority.
    pub fn open(options: &EtcdOptions) -> Result<Etcd, StoreError> {
        let count = options.endpoints.len();
        let needed = options.confirm.unwrap_or((count / 2 + 2).min(count));
        if needed <= count / 2 || needed > count {
            let why = format!("--confirm: {needed} of {count} members is not a majority");
            return Err(StoreError::Unavailable(why));
        }
        let tls = options.tls()?;
        let member = |endpoint: &String| Member::new(endpoint, options.timeout, tls.clone());
        Ok(Etcd {
            members: options.endpoints.iter().map(member).collect(),
            prefix: options.prefix.clone().into_bytes(),
            needed,
            preferred: AtomicUsize::new(0),
        })
    }

    fn name(&self, key: &RecordKey) -> Bytes {
        Bytes([self.prefix.as_slice(), &key.encode()].concat())
    }

    /// Sends a request to one member after another until one responds, starting with the member
    /// that responded last. A request that may have been received is sent to another member only if
    /// it is `repeatable`.
    fn ask<A>(
        &self,
        request: impl Fn(&Member) -> Result<A, RequestError>,
        repeatable: bool,
    ) -> Result<A, StoreError> {
        let first = self.preferred.load(Ordering::Relaxed);
        let mut why = String::from("--endpoints: no members");
        for step in 0..self.members.len() {
            let at = (first + step) % self.members.len();
            match request(&self.members[at]) {
                Ok(response) => {
                    self.preferred.store(at, Ordering::Relaxed);
                    return Ok(response);
                }
                Err(RequestError::Refused(reason)) => return Err(StoreError::Damaged(reason)),
                Err(RequestError::NotSent(reason)) => why = reason,
                Err(RequestError::NoResponse(reason)) => {
                    self.preferred.store(at + 1, Ordering::Relaxed);
                    if !repeatable {
                        return Err(StoreError::Unknown(reason));
                    }
                    why = reason;
                }
            }
        }
        Err(StoreError::Unavailable(why))
    }
}

impl Store for Etcd {
    fn read(&self, keys: &[RecordKey]) -> Result<Vec<Option<Versioned>>, StoreError> {
        // A single transaction reads all records as of one point in time. It is linearizable,
        // because it goes through the leader's log.
        let names: Vec<_> = keys.iter().map(|key| self.name(key)).collect();
        let operation = |name: &Bytes| RequestOp::Range { key: name.clone() };
        let request = TxnRequest {
            compare: Vec::new(),
            success: names.iter().map(operation).collect(),
            failure: Vec::new(),
        };
        let response = self.ask(|member| member.txn(&request), true)?;
        records(response, &names)
    }

    fn commit(&self, transaction: &Transaction) -> Result<Commit, StoreError> {
        let compare = |(key, revision): &(RecordKey, Option<u64>)| Compare {
            key: self.name(key),
            target: "MOD",
            result: "EQUAL",
            mod_revision: revision.unwrap_or(0).to_string(),
        };
        let operation = |(key, change): &(RecordKey, Change)| match change {
            Change::Put(value) => {
                RequestOp::Put { key: self.name(key), value: Bytes(value.clone()) }
            }
            Change::Delete => RequestOp::DeleteRange { key: self.name(key) },
        };
        let request = TxnRequest {
            compare: transaction.unchanged.iter().map(compare).collect(),
            success: transaction.changes.iter().map(operation).collect(),
            failure: Vec::new(),
        };
        // A transaction is sent once. If its response is lost, only a read shows the outcome.
        let response = self.ask(|member| member.txn(&request), false)?;
        match response.succeeded {
            true => Ok(Commit::Done { revision: response.header.revision }),
            false => Ok(Commit::Changed),
        }
    }

    fn confirm(&self, key: &RecordKey, held: &Versioned) -> Result<Held, StoreError> {
        let request = RangeRequest {
            key: self.name(key),
            range_end: None,
            // Each member answers from its own disk without consulting the others.
            serializable: true,
            limit: 0,
            keys_only: false,
        };
        // A member that lags behind gets time to apply changes that are already on their way.
        let mut pause = Duration::from_millis(1);
        loop {
            let responses = std::thread::scope(|scope| {
                let threads: Vec<_> = self
                    .members
                    .iter()
                    .map(|member| scope.spawn(|| member.range(&request)))
                    .collect();
                threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
            });
            let (mut same, mut newer, mut silent) = (0, 0, 0);
            for response in responses {
                let Ok(Ok(response)) = response else {
                    silent += 1;
                    continue;
                };
                match response.kvs.first() {
                    Some(kv) if kv.value.0 == held.value && kv.mod_revision == held.revision => {
                        same += 1
                    }
                    Some(kv) if kv.mod_revision > held.revision => newer += 1,
                    _ => {}
                }
            }
            if same >= self.needed {
                return Ok(Held::Enough);
            }
            if newer > 0 {
                return Ok(Held::Newer);
            }
            let hopeless = self.members.len() - silent < self.needed;
            if hopeless || pause > Duration::from_millis(200) {
                return Err(StoreError::TooFew { held: same, needed: self.needed });
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
    }

    fn accounts(
        &self,
        kind: RecordKind,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError> {
        let (from, end) = kind.range(after);
        let from = Bytes([self.prefix.as_slice(), &from].concat());
        let end = Bytes([self.prefix.as_slice(), &[end]].concat());
        let request = RangeRequest {
            key: from,
            range_end: Some(end),
            serializable: false,
            limit,
            keys_only: true,
        };
        let response = self.ask(|member| member.range(&request), true)?;
        accounts(&response, &[self.prefix.as_slice(), &kind.range(None).0].concat())
    }
}

/// Extracts the records with these keys from the response to a transaction that reads them.
pub(crate) fn records(
    response: TxnResponse,
    names: &[Bytes],
) -> Result<Vec<Option<Versioned>>, StoreError> {
    let damaged = || StoreError::Damaged("response without the requested records".to_owned());
    if response.responses.len() != names.len() {
        return Err(damaged());
    }
    let record = |(response, name): (ResponseOp, &Bytes)| {
        let mut kvs = response.response_range.ok_or_else(damaged)?.kvs;
        match (kvs.pop(), kvs.is_empty()) {
            (None, _) => Ok(None),
            (Some(kv), true) if kv.key == *name => {
                Ok(Some(Versioned { value: kv.value.0, revision: kv.mod_revision }))
            }
            _ => Err(damaged()),
        }
    };
    response.responses.into_iter().zip(names).map(record).collect()
}

/// Extracts the accounts from a response whose keys consist of `prefix` and an account.
pub(crate) fn accounts(
    response: &RangeResponse,
    prefix: &[u8],
) -> Result<Vec<Account>, StoreError> {
    let account = |name: &[u8]| name.strip_prefix(prefix)?.try_into().ok();
    let damaged = || StoreError::Damaged("response with a key that was not requested".to_owned());
    response.kvs.iter().map(|kv| account(&kv.key.0).ok_or_else(damaged)).collect()
}
