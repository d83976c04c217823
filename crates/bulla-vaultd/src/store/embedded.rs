//! The store for a single node: a redb file.

use std::path::Path;

use redb::{Database, Durability, ReadableDatabase, ReadableTable, Table, TableDefinition};

use super::{
    Change, Commit, Held, RecordKey, RecordKind, Store, StoreError, Transaction, Versioned,
};
use crate::files;
use crate::record::Account;

/// Records: revision and value.
const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
/// The last revision.
const LAST: TableDefinition<'_, (), u64> = TableDefinition::new("revision");

/// A store in one file. Commits are durable and use two phases, so that a torn write neither
/// exposes part of a transaction nor loses earlier data.
pub struct Embedded {
    database: Database,
}

impl Embedded {
    /// Opens or creates the file. Only one process can have it open.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Unavailable`] if the file cannot be opened, or if another process has
    /// it open.
    pub fn open(path: &Path) -> Result<Embedded, StoreError> {
        let unusable =
            |e: &dyn std::fmt::Display| StoreError::Unavailable(format!("{}: {e}", path.display()));
        let new = !path.exists();
        let database = Database::create(path).map_err(|e| unusable(&e))?;
        let store = Embedded { database };
        store.write(|_, _| Ok(())).map_err(|e| unusable(&e))?;
        if new {
            // The directory entry must survive a power failure, just as the file does.
            files::sync_directory_of(path).map_err(|e| unusable(&e))?;
        }
        Ok(store)
    }

    fn write<T>(
        &self,
        work: impl FnOnce(
            &mut Table<'_, &[u8], &[u8]>,
            &mut Table<'_, (), u64>,
        ) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut transaction = self.database.begin_write().map_err(unavailable)?;
        transaction.set_durability(Durability::Immediate).map_err(unavailable)?;
        transaction.set_two_phase_commit(true);
        let done = {
            let mut records = transaction.open_table(RECORDS).map_err(unavailable)?;
            let mut last = transaction.open_table(LAST).map_err(unavailable)?;
            work(&mut records, &mut last)?
        };
        // A disk error here may occur after the new root was written.
        transaction.commit().map_err(|e| StoreError::Unknown(e.to_string()))?;
        Ok(done)
    }
}

impl Store for Embedded {
    fn read(&self, keys: &[RecordKey]) -> Result<Vec<Option<Versioned>>, StoreError> {
        let transaction = self.database.begin_read().map_err(unavailable)?;
        let records = transaction.open_table(RECORDS).map_err(unavailable)?;
        keys.iter().map(|key| get(&records, &key.encode())).collect()
    }

    fn commit(&self, wanted: &Transaction) -> Result<Commit, StoreError> {
        // redb runs one write transaction at a time, so no record changes between the comparison
        // and the write. If a condition fails, nothing is written or committed.
        let mut changed = false;
        let done = self.write(|records, last| {
            for (key, expected) in &wanted.unchanged {
                let found = get(records, &key.encode())?.map(|found| found.revision);
                if found != *expected {
                    changed = true;
                    return Err(StoreError::Unavailable("changed".to_owned()));
                }
            }
            let revision = last.get(()).map_err(unavailable)?.map_or(0, |guard| guard.value()) + 1;
            last.insert((), revision).map_err(unavailable)?;
            for (key, change) in &wanted.changes {
                let name = key.encode();
                match change {
                    Change::Put(value) => {
                        let stored = [&revision.to_be_bytes(), value.as_slice()].concat();
                        records.insert(name.as_slice(), stored.as_slice()).map_err(unavailable)?;
                    }
                    Change::Delete => _ = records.remove(name.as_slice()).map_err(unavailable)?,
                }
            }
            Ok(Commit::Done { revision })
        });
        if changed { Ok(Commit::Changed) } else { done }
    }

    fn confirm(&self, key: &RecordKey, held: &Versioned) -> Result<Held, StoreError> {
        match self.read(&[*key])?.pop().flatten() {
            Some(found) if found == *held => Ok(Held::Enough),
            Some(found) if found.revision > held.revision => Ok(Held::Newer),
            _ => Err(StoreError::TooFew { held: 0, needed: 1 }),
        }
    }

    fn accounts(
        &self,
        kind: RecordKind,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError> {
        let transaction = self.database.begin_read().map_err(unavailable)?;
        let records = transaction.open_table(RECORDS).map_err(unavailable)?;
        let (from, end) = kind.range(after);
        let range = records.range(from.as_slice()..&[end][..]).map_err(unavailable)?;
        range
            .take(limit)
            .map(|entry| {
                let (name, _) = entry.map_err(unavailable)?;
                let account = name.value().get(1..).and_then(|name| name.try_into().ok());
                account.ok_or_else(|| StoreError::Damaged("key has the wrong length".to_owned()))
            })
            .collect()
    }
}

fn get(
    records: &impl ReadableTable<&'static [u8], &'static [u8]>,
    name: &[u8],
) -> Result<Option<Versioned>, StoreError> {
    let Some(guard) = records.get(name).map_err(unavailable)? else { return Ok(None) };
    let (revision, value) = guard
        .value()
        .split_first_chunk()
        .ok_or_else(|| StoreError::Damaged("record without a revision".to_owned()))?;
    Ok(Some(Versioned { value: value.to_vec(), revision: u64::from_be_bytes(*revision) }))
}

fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
