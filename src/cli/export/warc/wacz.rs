//! A web archive as one file to be opened by ReplayWeb.page and its like: WACZ 1.1.1 (specs.webrecorder.net/wacz/1.1.1), a zip of archive
//! files, their index, a list of pages, and the digests of all of these. It is written from its start to its end.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, Write};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::cli::failure::Failure;
use crate::warc::sha256;

use super::archive::{Listed, Shelf};
use super::index::Index;

const SOFTWARE: &str = concat!("harvestman/", env!("CARGO_PKG_VERSION"));
const INDEX: &str = "index.cdx.gz";
/// Lines of the index that are packed together, and read at once by who looks for one of them.
const BLOCK: usize = 1_000;

/// A file in the zip that is being written.
struct Open {
    path: String,
    digest: Context,
    bytes: u64,
}

pub struct Package<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    open: Option<Open>,
    /// What the package says of its files.
    resources: Vec<Value>,
    /// The pages, in a file that has no name.
    pages: BufWriter<File>,
    index: Index,
    /// URL and time of the page to begin with.
    main: Option<(String, String)>,
}

impl<W: Write> Package<W> {
    /// In `folder` there is room for what cannot be written yet.
    pub fn new(out: W, folder: &Path) -> Result<Self, Failure> {
        let mut pages = BufWriter::new(tempfile::tempfile_in(folder)?);
        writeln!(pages, "{}", json!({ "format": "json-pages-1.0", "id": "pages", "title": "All Pages" }))?;
        let (zip, index) = (ZipWriter::new_stream(out), Index::new(folder.to_owned()));
        Ok(Self { zip, open: None, resources: Vec::new(), pages, index, main: None })
    }

    /// Adds all that comes after the archive files. The title is what the package is called.
    pub fn finish(mut self, title: &str, now: &str) -> Result<(), Failure> {
        let blocks = self.write_index()?;
        self.start("indexes/index.idx", CompressionMethod::Deflated)?;
        self.write(blocks.as_bytes())?;
        self.write_pages()?;
        self.close()?;
        let mut about = json!({
            "profile": "data-package",
            "wacz_version": "1.1.1",
            "title": title,
            "created": now,
            "software": SOFTWARE,
            "resources": std::mem::take(&mut self.resources),
        });
        if let Some((url, at)) = &self.main {
            about["mainPageUrl"] = json!(url);
            about["mainPageDate"] = json!(at);
        }
        let about = format!("{about:#}");
        let digest = aws_lc_rs::digest::digest(&SHA256, about.as_bytes());
        let digest = json!({ "path": "datapackage.json", "hash": sha256(digest.as_ref()) }).to_string();
        for (path, text) in [("datapackage.json", about), ("datapackage-digest.json", digest)] {
            self.start(path, CompressionMethod::Deflated)?;
            self.write(text.as_bytes())?;
        }
        self.zip.finish().map_err(io::Error::from)?.into_inner().flush()?;
        Ok(())
    }

    /// Writes the index in blocks; answers with the list of these.
    fn write_index(&mut self) -> Result<String, Failure> {
        let index = self.index.take();
        self.start(&format!("indexes/{INDEX}"), CompressionMethod::Stored)?;
        let mut blocks = format!("!meta 0 {}\n", json!({ "format": "cdxj-gzip-1.0", "filename": INDEX }));
        let (mut block, mut lines, mut offset) = (String::new(), 0, 0);
        let mut put = |block: &mut String| {
            let mut packed = GzEncoder::new(Vec::new(), Compression::default());
            packed.write_all(block.as_bytes())?;
            let packed = packed.finish()?;
            let key = block.split(" {").next().unwrap_or_default();
            let place = json!({ "offset": offset, "length": packed.len() });
            blocks.push_str(&format!("{key} {place}\n"));
            offset += packed.len();
            block.clear();
            self.write(&packed)
        };
        index.each(|line| {
            block.push_str(line);
            lines += 1;
            if lines % BLOCK == 0 { put(&mut block) } else { Ok(()) }
        })?;
        if !block.is_empty() {
            put(&mut block)?;
        }
        Ok(blocks)
    }

    fn write_pages(&mut self) -> Result<(), Failure> {
        self.start("pages/pages.jsonl", CompressionMethod::Deflated)?;
        self.pages.flush()?;
        let mut file = self.pages.get_ref().try_clone()?;
        file.rewind()?;
        let mut chunk = vec![0; 64 << 10];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(()),
                length => self.write(&chunk[..length])?,
            }
        }
    }

    fn start(&mut self, path: &str, method: CompressionMethod) -> Result<(), Failure> {
        self.close()?;
        // How large it gets is not known.
        let options = SimpleFileOptions::default().compression_method(method).large_file(true);
        self.zip.start_file(path, options).map_err(io::Error::from)?;
        self.open = Some(Open { path: path.to_owned(), digest: Context::new(&SHA256), bytes: 0 });
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.zip.write_all(bytes)?;
        if let Some(open) = &mut self.open {
            open.digest.update(bytes);
            open.bytes += bytes.len() as u64;
        }
        Ok(())
    }

    /// The file that is open is whole.
    fn close(&mut self) -> Result<(), Failure> {
        let Some(Open { path, digest, bytes }) = self.open.take() else { return Ok(()) };
        let name = path.rsplit('/').next();
        let hash = sha256(digest.finish().as_ref());
        self.resources.push(json!({ "name": name, "path": path, "hash": hash, "bytes": bytes }));
        Ok(())
    }
}

impl<W: Write> Shelf for Package<W> {
    fn begin(&mut self, name: Option<&str>) -> Result<(), Failure> {
        self.start(&format!("archive/{}", name.unwrap_or_default()), CompressionMethod::Stored)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.write(bytes)
    }

    fn note(&mut self, line: impl FnOnce() -> String) -> Result<(), Failure> {
        self.index.add(line())
    }

    fn list(&mut self, page: &Listed<'_>) -> Result<(), Failure> {
        let Listed { id, url, date, title, size, is_seed } = page;
        if *is_seed && self.main.is_none() {
            self.main = Some(((*url).to_owned(), date.clone()));
        }
        let mut line = json!({ "id": id.to_string(), "url": url, "ts": date, "size": size });
        if let Some(title) = title {
            line["title"] = json!(title);
        }
        Ok(writeln!(self.pages, "{line}")?)
    }
}
