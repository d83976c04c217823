//! The store of several data centres: an etcd cluster. Only compare-and-swap transactions, no
//! leases and no locks: what etcd promises of those under a pause or a partition is not what a
//! counter needs.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use super::gateway::{
    Bytes, Compare, Fault, Member, Operation, OperationAnswer, RangeAnswer, RangeRequest,
    TxnAnswer, TxnRequest,
};
use super::{Change, Commit, Held, Key, Kind, Store, StoreError, Transaction, Versioned};
use crate::record::Account;

/// How to reach an etcd cluster.
#[derive(Debug, Clone)]
pub struct EtcdOptions {
    /// The client address of **every** member: the supermajority is counted over them.
    pub endpoints: Vec<String>,
    /// What the names of records begin with.
    pub prefix: String,
    /// Members that must hold a change before it counts; the default is one more than a majority,
    /// and all of them at most.
    pub confirm: Option<usize>,
    /// How long to wait for a member.
    pub timeout: Duration,
    /// The certificate that signs the members', in PEM.
    pub ca: Option<PathBuf>,
    /// This client's certificate and key, in PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A store in an etcd cluster.
pub struct Etcd {
    members: Vec<Member>,
    prefix: Vec<u8>,
    needed: usize,
    /// The member that answered last.
    preferred: AtomicUsize,
}

impl EtcdOptions {
    /// A cluster without TLS, as on loopback.
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
    /// A store in this cluster. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if a certificate cannot be read, or the number of members to
    /// hold a change is no majority.
    pub fn open(options: &EtcdOptions) -> Result<Etcd, StoreError> {
        let count = options.endpoints.len();
        let needed = options.confirm.unwrap_or((count / 2 + 2).min(count));
        if needed <= count / 2 || needed > count {
            let why = format!("{needed} of {count} members are no majority of them");
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

    /// The store, to be shared.
    pub fn shared(self) -> Arc<dyn Store> {
        Arc::new(self)
    }

    fn name(&self, key: &Key) -> Bytes {
        Bytes([self.prefix.as_slice(), &key.encode()].concat())
    }

    /// Asks members in turn, beginning with the one that answered last. A question that changes
    /// nothing may be asked again of the next.
    fn ask<A>(
        &self,
        question: impl Fn(&Member) -> Result<A, Fault>,
        repeatable: bool,
    ) -> Result<A, StoreError> {
        let first = self.preferred.load(Ordering::Relaxed);
        let mut why = String::from("no members");
        for step in 0..self.members.len() {
            let at = (first + step) % self.members.len();
            match question(&self.members[at]) {
                Ok(answer) => {
                    self.preferred.store(at, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(Fault::Refused(said)) => return Err(StoreError::Damaged(said)),
                Err(Fault::NotSent(said)) => why = said,
                Err(Fault::NoAnswer(said)) => {
                    self.preferred.store(at + 1, Ordering::Relaxed);
                    if !repeatable {
                        return Err(StoreError::Unknown(said));
                    }
                    why = said;
                }
            }
        }
        Err(StoreError::Unavailable(why))
    }
}

impl Store for Etcd {
    fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, StoreError> {
        // One transaction, so that all are of one moment. It is linearizable: it goes through the
        // log of the cluster's leader.
        let names: Vec<_> = keys.iter().map(|key| self.name(key)).collect();
        let operation = |name: &Bytes| Operation::Range { key: name.clone() };
        let request = TxnRequest {
            compare: Vec::new(),
            success: names.iter().map(operation).collect(),
            failure: Vec::new(),
        };
        let answer = self.ask(|member| member.txn(&request), true)?;
        records(answer, &names)
    }

    fn commit(&self, transaction: &Transaction) -> Result<Commit, StoreError> {
        let compare = |(key, revision): &(Key, Option<u64>)| Compare {
            key: self.name(key),
            target: "MOD",
            result: "EQUAL",
            mod_revision: revision.unwrap_or(0).to_string(),
        };
        let operation = |(key, change): &(Key, Change)| match change {
            Change::Put(value) => {
                Operation::Put { key: self.name(key), value: Bytes(value.clone()) }
            }
            Change::Delete => Operation::DeleteRange { key: self.name(key) },
        };
        let request = TxnRequest {
            compare: transaction.unchanged.iter().map(compare).collect(),
            success: transaction.changes.iter().map(operation).collect(),
            failure: Vec::new(),
        };
        // A transaction is sent once: should its answer be lost, only a read can tell what became
        // of it.
        let answer = self.ask(|member| member.txn(&request), false)?;
        match answer.succeeded {
            true => Ok(Commit::Done { revision: answer.header.revision }),
            false => Ok(Commit::Changed),
        }
    }

    fn confirm(&self, key: &Key, held: &Versioned) -> Result<Held, StoreError> {
        let request = RangeRequest {
            key: self.name(key),
            range_end: None,
            // Each member answers from its own disk, without asking the others.
            serializable: true,
            limit: 0,
            keys_only: false,
        };
        // A member that lags gets a little time: it is behind by what is on its way to it.
        let mut pause = Duration::from_millis(1);
        loop {
            let answers = std::thread::scope(|scope| {
                let threads: Vec<_> = self
                    .members
                    .iter()
                    .map(|member| scope.spawn(|| member.range(&request)))
                    .collect();
                threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
            });
            let (mut same, mut newer, mut silent) = (0, 0, 0);
            for answer in answers {
                let Ok(Ok(answer)) = answer else {
                    silent += 1;
                    continue;
                };
                match answer.kvs.first() {
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
        kind: Kind,
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
        let answer = self.ask(|member| member.range(&request), true)?;
        accounts(&answer, &[self.prefix.as_slice(), &kind.range(None).0].concat())
    }
}

/// The records of these names in the answer to a transaction that reads them.
pub(crate) fn records(
    answer: TxnAnswer,
    names: &[Bytes],
) -> Result<Vec<Option<Versioned>>, StoreError> {
    let damaged = || StoreError::Damaged("an answer without the records asked for".to_owned());
    if answer.responses.len() != names.len() {
        return Err(damaged());
    }
    let record = |(response, name): (OperationAnswer, &Bytes)| {
        let mut kvs = response.response_range.ok_or_else(damaged)?.kvs;
        match (kvs.pop(), kvs.is_empty()) {
            (None, _) => Ok(None),
            (Some(kv), true) if kv.key == *name => {
                Ok(Some(Versioned { value: kv.value.0, revision: kv.mod_revision }))
            }
            _ => Err(damaged()),
        }
    };
    answer.responses.into_iter().zip(names).map(record).collect()
}

/// The accounts whose records an answer names; the names begin like this.
pub(crate) fn accounts(answer: &RangeAnswer, prefix: &[u8]) -> Result<Vec<Account>, StoreError> {
    let account = |name: &[u8]| name.strip_prefix(prefix)?.try_into().ok();
    let damaged = || StoreError::Damaged("a record's name is none of those asked for".to_owned());
    answer.kvs.iter().map(|kv| account(&kv.key.0).ok_or_else(damaged)).collect()
}
