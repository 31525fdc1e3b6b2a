//! Bodies in less space: zstd (RFC 8878), with a dictionary that is made of some of them. The pages of a site have most of
//! their markup in common, which the dictionary then holds once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use sqlx::{Row as _, SqliteConnection};
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::DecoderDictionary;
use zstd::zstd_safe::get_frame_content_size;

use crate::store::failed::Failed;

/// The level that zstd has by default.
const LEVEL: i32 = 3;
/// Bytes of a dictionary, as many as zstd's own program gives one.
const DICTIONARY: usize = 112_640;
/// Bytes of bodies that a dictionary is made of, and of one of them: no page is to tell by itself what all look like.
const SAMPLES: usize = 4 << 20;
const SAMPLE: usize = 64 << 10;
/// Stored bodies that a dictionary is made of, where an invocation finds none.
const STORED: i64 = 256;
/// Bytes that a body has at most, as SQLite stores it.
const LARGEST: u64 = 1 << 30;
/// What stands for the dictionary of a body that was packed without one.
const WITHOUT: i64 = 0;

/// The body of a row `c` of `content` or `old_content` as it was received, on a connection that has [`register`]ed `unpacked`.
pub(super) const BODY: &str = "case when c.dictionary_id is null then c.body else unpacked(c.body, c.dictionary_id,
         (select d.bytes from main.dictionary d where d.id = c.dictionary_id)) end";

/// Packs bodies, and gathers what a dictionary can be made of as long as there is none.
pub(super) struct Packer {
    compressor: Compressor<'static>,
    dictionary: i64,
    samples: Samples,
}

#[derive(Default)]
struct Samples {
    bytes: Vec<u8>,
    lengths: Vec<usize>,
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packer").field("dictionary", &self.dictionary).finish_non_exhaustive()
    }
}

impl Packer {
    /// With a dictionary, or without one and to make one.
    fn new(dictionary: Option<(i64, &[u8])>) -> io::Result<Self> {
        let (dictionary, compressor) = match dictionary {
            Some((id, bytes)) => (id, Compressor::with_dictionary(LEVEL, bytes)?),
            None => (WITHOUT, Compressor::new(LEVEL)?),
        };
        Ok(Self { compressor, dictionary, samples: Samples::default() })
    }

    /// Takes a sample of a body; a dictionary, once there are enough of them.
    fn learn(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        if self.dictionary != WITHOUT {
            return None;
        }
        let sample = &body[..body.len().min(SAMPLE)];
        self.samples.bytes.extend_from_slice(sample);
        self.samples.lengths.push(sample.len());
        if self.samples.bytes.len() < SAMPLES {
            return None;
        }
        let Samples { bytes, lengths } = std::mem::take(&mut self.samples);
        // Bodies that have nothing in common give none.
        zstd::dict::from_continuous(&bytes, &lengths, DICTIONARY).ok()
    }

    /// A body packed, and by which dictionary; none if that saves nothing.
    fn pack(&mut self, body: &[u8]) -> Option<(Vec<u8>, i64)> {
        let packed = self.compressor.compress(body).ok()?;
        (packed.len() < body.len()).then_some((packed, self.dictionary))
    }
}

/// A body as it is to be stored, and the dictionary that it was packed with; none if it is as received. A dictionary that is
/// made of this body and those before is stored in the transaction that stores the body.
pub(super) async fn pack(
    packer: &mut Option<Packer>,
    db: &mut SqliteConnection,
    body: Vec<u8>,
) -> Result<(Vec<u8>, Option<i64>), Failed> {
    let mut ready = match packer.take() {
        Some(ready) => ready,
        None => load(db).await?,
    };
    if let Some(bytes) = ready.learn(&body) {
        ready = keep(db, &bytes).await?;
    }
    let packed = ready.pack(&body);
    *packer = Some(ready);
    Ok(packed.map_or((body, None), |(packed, dictionary)| (packed, Some(dictionary))))
}

/// The last dictionary, or one that is made of what is stored; if there is too little of that, none.
async fn load(db: &mut SqliteConnection) -> Result<Packer, Failed> {
    let last =
        sqlx::query("select id, bytes from dictionary order by id desc limit 1").fetch_optional(&mut *db).await?;
    if let Some(row) = &last {
        return Ok(Packer::new(Some((row.get("id"), row.get("bytes")))).map_err(unusable)?);
    }
    let mut packer = Packer::new(None).map_err(unusable)?;
    let stored = sqlx::query(
        "select body, dictionary_id from content where length(body) between 1 and ?2 and coalesce(dictionary_id, 0) = 0
         order by url_id desc limit ?1",
    );
    for row in stored.bind(STORED).bind(SAMPLE as i64).fetch_all(&mut *db).await? {
        if let Some(bytes) = packer.learn(&unpack(row.get("body"), row.get("dictionary_id"), None)?) {
            return keep(db, &bytes).await;
        }
    }
    Ok(packer)
}

async fn keep(db: &mut SqliteConnection, dictionary: &[u8]) -> Result<Packer, Failed> {
    let insert = sqlx::query_scalar("insert into dictionary (bytes) values (?1) returning id");
    let id = insert.bind(dictionary).fetch_one(db).await?;
    Ok(Packer::new(Some((id, dictionary))).map_err(unusable)?)
}

fn unusable(error: io::Error) -> sqlx::Error {
    sqlx::Error::Decode(format!("compressed bodies: {error}").into())
}

/// A body as it was received, from what is stored of it and the dictionary that it was packed with.
pub(super) fn unpack(body: Vec<u8>, id: Option<i64>, dictionary: Option<&[u8]>) -> Result<Vec<u8>, sqlx::Error> {
    let Some(id) = id else { return Ok(body) };
    let mut decompressor = match dictionary {
        Some(bytes) => Decompressor::with_dictionary(bytes),
        None if id == WITHOUT => Decompressor::new(),
        None => return Err(unusable(missing(id))),
    }
    .map_err(unusable)?;
    unpack_with(&mut decompressor, &body).map_err(|e| sqlx::Error::Decode(e.into()))
}

fn unpack_with(decompressor: &mut Decompressor<'_>, body: &[u8]) -> io::Result<Vec<u8>> {
    let length = get_frame_content_size(body).ok().flatten().filter(|length| *length <= LARGEST);
    let damaged = || io::Error::other("a stored body is damaged");
    let length = length.and_then(|length| usize::try_from(length).ok()).ok_or_else(damaged)?;
    decompressor.decompress(body, length).map_err(|_| damaged())
}

fn missing(id: i64) -> io::Error {
    io::Error::other(format!("what a stored body was compressed with, the dictionary {id}, is missing"))
}

/// Makes `unpacked(body, number of the dictionary, dictionary)` known to a connection.
pub fn register(db: &Connection) -> rusqlite::Result<()> {
    let known = Mutex::new(HashMap::<i64, DecoderDictionary<'static>>::new());
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("unpacked", 3, flags, move |context| {
        let unpacked = unpacked(context, &mut known.lock().unwrap_or_else(PoisonError::into_inner));
        unpacked.map_err(|e| rusqlite::Error::UserFunctionError(e.into()))
    })
}

fn unpacked(context: &Context<'_>, known: &mut HashMap<i64, DecoderDictionary<'static>>) -> io::Result<Vec<u8>> {
    let body = context.get_raw(0).as_blob().map_err(io::Error::other)?;
    let id: i64 = context.get(1).map_err(io::Error::other)?;
    if id == WITHOUT {
        return unpack_with(&mut Decompressor::new()?, body);
    }
    let dictionary = match known.entry(id) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => {
            let bytes = context.get_raw(2).as_blob_or_null().ok().flatten().ok_or_else(|| missing(id))?;
            place.insert(DecoderDictionary::try_copy(bytes)?)
        }
    };
    unpack_with(&mut Decompressor::with_prepared_dictionary(dictionary)?, body)
}
