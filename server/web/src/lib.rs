//! The files of the web UI, as browsers get them.
//!
//! A release program carries them with it, packed; a debug program reads `web/` of its source, so
//! that a change is seen at the next load. This crate knows no HTTP and nothing of a hub: what it
//! gives is the same for everybody.

// In a release program the build script has done its work.
#[cfg(any(test, debug_assertions))]
mod bundle;
#[cfg_attr(
    not(debug_assertions),
    expect(dead_code, reason = "the build script has walked the directory")
)]
mod kinds;
#[cfg(any(test, debug_assertions))]
mod sent;

use std::{borrow::Cow, collections::BTreeMap, io, sync::Arc};

use sha2::{Digest, Sha256};

/// The page all screens live in; it is sent by [`Site::page`] only.
const PAGE: &str = "index.html";

/// What stands in the page for the address of the files.
const ASSETS: &str = "{{assets}}";

/// Bytes of the program, or of a file that was read.
type Bytes = Cow<'static, [u8]>;

/// A file's path, the file, the file in gzip and in brotli; empty where packing gains nothing.
type Content = (String, Bytes, Bytes, Bytes);

/// All files of one version of the UI.
pub struct Site {
    version: String,
    files: BTreeMap<String, File>,
}

/// One file.
#[derive(Clone)]
pub struct File {
    /// Its media type.
    pub kind: &'static str,
    /// Hash of its content.
    pub tag: String,
    /// The file as it is.
    pub plain: Bytes,
    /// The file in gzip, where that is shorter.
    pub gzip: Option<Bytes>,
    /// The file in brotli, where that is shorter; a debug program has none.
    pub brotli: Option<Bytes>,
}

impl Site {
    /// The UI as it is now.
    ///
    /// # Errors
    /// A debug program's source is not where it was when it was built.
    pub fn current() -> io::Result<Arc<Self>> {
        source::current()
    }

    fn new(contents: Vec<Content>) -> Self {
        let mut whole = Sha256::new();
        let mut files = BTreeMap::new();
        for (name, plain, gzip, brotli) in contents {
            let Some(kind) = kinds::kind(&name) else { continue };
            let tag = hex(&Sha256::digest(&plain));
            whole.update(name.as_bytes());
            whole.update(tag.as_bytes());
            let [gzip, brotli] = [gzip, brotli]
                .map(|packed| (!packed.is_empty() && packed.len() < plain.len()).then_some(packed));
            files.insert(name, File { kind, tag, plain, gzip, brotli });
        }
        Self { version: hex(&whole.finalize()), files }
    }

    /// Hash of all files: what is served below it never changes.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A file by its path.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path).filter(|_| path != PAGE)
    }

    /// The page, for a hub that is served under `base`.
    #[must_use]
    pub fn page(&self, base: &str) -> String {
        let Some(page) = self.files.get(PAGE) else { return String::new() };
        let assets = format!("{base}/assets/{}", self.version);
        String::from_utf8_lossy(&page.plain).replace(ASSETS, &assets)
    }
}

/// The addresses of styles and scripts that a page asks for as soon as it is read.
#[must_use]
pub fn asked_for(page: &str) -> Vec<&str> {
    let lines = page.lines().filter(|line| {
        line.contains("rel=\"stylesheet\"") || line.trim_start().starts_with("<script")
    });
    let addresses = lines.filter_map(|line| {
        let (_, rest) = line.split_once("href=\"").or_else(|| line.split_once("src=\""))?;
        rest.split_once('"').map(|(address, _)| address)
    });
    addresses.collect()
}

/// The beginning of a hash: enough to tell versions apart.
fn hex(hash: &[u8]) -> String {
    hash.iter().take(10).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(not(debug_assertions))]
mod source {
    use std::{
        borrow::Cow,
        io,
        sync::{Arc, LazyLock},
    };

    use super::Site;

    type Packed = (&'static str, &'static [u8], &'static [u8], &'static [u8]);

    const FILES: &[Packed] = &include!(concat!(env!("OUT_DIR"), "/files.rs"));

    static SITE: LazyLock<Arc<Site>> = LazyLock::new(|| {
        let borrowed = |(name, plain, gzip, brotli): &Packed| {
            let [plain, gzip, brotli] = [*plain, *gzip, *brotli].map(Cow::Borrowed);
            ((*name).to_owned(), plain, gzip, brotli)
        };
        Arc::new(Site::new(FILES.iter().map(borrowed).collect()))
    });

    pub(super) fn current() -> io::Result<Arc<Site>> {
        Ok(SITE.clone())
    }
}

#[cfg(debug_assertions)]
mod source {
    use std::{
        borrow::Cow,
        fs,
        io::{self, Write as _},
        path::Path,
        sync::{Arc, Mutex, PoisonError},
        time::SystemTime,
    };

    use flate2::{Compression, write::GzEncoder};

    use super::{Site, kinds, sent};

    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web");

    /// What tells whether anything was changed.
    type Seen = Vec<(String, u64, Option<SystemTime>)>;

    static LAST: Mutex<Option<(Seen, Arc<Site>)>> = Mutex::new(None);

    pub(super) fn current() -> io::Result<Arc<Site>> {
        let root = Path::new(ROOT);
        let mut seen: Seen = Vec::new();
        kinds::walk(root, &mut |name, meta| seen.push((name, meta.len(), meta.modified().ok())))?;
        seen.sort();
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, site)) = last.as_ref()
            && *known == seen
        {
            return Ok(site.clone());
        }
        let read = |(name, _, _): &(String, _, _)| Ok((name.clone(), fs::read(root.join(name))?));
        let files = seen.iter().map(read).collect::<io::Result<Vec<_>>>()?;
        let packed = |(name, plain): (String, Vec<u8>)| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&plain)?;
            let gzip = encoder.finish()?;
            Ok((name, Cow::Owned(plain), Cow::Owned(gzip), Cow::Borrowed(&[][..])))
        };
        let files = sent::sent(files).map_err(io::Error::other)?;
        let contents = files.into_iter().map(packed).collect::<io::Result<Vec<_>>>()?;
        let site = Arc::new(Site::new(contents));
        *last = Some((seen, site.clone()));
        Ok(site)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn the_page_names_this_version_and_everything_it_names_is_there() {
        let site = Site::current().unwrap();
        let page = site.page("/car");
        assert!(!page.contains("{{") && !page.contains("<!--"), "{page}");
        let prefix = format!("/car/assets/{}/", site.version());
        let named: Vec<&str> = page
            .split(&['"', '\''])
            .filter_map(|part| part.strip_prefix(prefix.as_str()))
            .collect();
        assert!(named.len() >= 5, "{page}");
        assert_eq!(named.iter().filter(|name| name.ends_with(".css")).count(), 1, "{page}");
        for name in named {
            assert!(site.file(name).is_some(), "{name}");
        }
    }

    /// With the hub's first answers, some 8 KiB, it stays below 60 KiB.
    #[test]
    fn the_first_screen_is_small() {
        let packed = |bytes: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap().len()
        };
        let site = Site::current().unwrap();
        let page = site.page("");
        let prefix = format!("/assets/{}/", site.version());
        let size: usize = page
            .split('"')
            .filter_map(|part| part.strip_prefix(prefix.as_str()))
            .filter(|name| name.ends_with(".js") || name.ends_with(".css"))
            .map(|name| packed(&site.file(name).unwrap().plain))
            .sum();
        let size = size + packed(page.as_bytes());
        assert!(size < 50 * 1024, "{size} bytes: load what the first screen does not need later");
    }

    #[test]
    fn nothing_is_written_inline_and_nothing_comes_from_elsewhere() {
        let page = Site::current().unwrap().page("");
        for bad in ["<style", " style=", " onclick", " onload", "javascript:", "http:", "https:"] {
            assert!(!page.contains(bad), "{bad}");
        }
        for script in page.split("<script").skip(1) {
            let (tag, rest) = script.split_once('>').unwrap();
            assert!(tag.contains(" src=") && rest.starts_with("</script>"), "{script}");
        }
    }

    /// A module that is imported and is not there would be found by the user.
    #[test]
    fn every_import_leads_to_a_file() {
        let site = Site::current().unwrap();
        let mut found = 0;
        for (name, file) in &site.files {
            let text = String::from_utf8_lossy(&file.plain);
            if !name.ends_with(".js") || name.starts_with("vendor/") || name == "sw.js" {
                continue;
            }
            let statics = text.split("from '").skip(1);
            let later = text.split("() => import('").skip(1);
            for path in statics.chain(later) {
                let Some(path) = path.split('\'').next() else { continue };
                if let Some(target) = bundle::joined(name, path) {
                    assert!(site.file(&target).is_some(), "{name} imports {target}");
                    found += 1;
                }
            }
        }
        assert!(found > 50, "{found}");
    }

    /// What comes from elsewhere is what the list beside it says.
    #[test]
    fn vendored_files_are_as_listed() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/vendor");
        let list = std::fs::read_to_string(format!("{dir}/README.md")).unwrap();
        for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if !name.ends_with(".js") && !name.ends_with(".css") {
                continue;
            }
            let hash = Sha256::digest(std::fs::read(entry.path()).unwrap());
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            let row = list.lines().find(|line| line.starts_with(&format!("| {name} |")));
            assert!(row.is_some_and(|row| row.contains(&hash)), "{name} is {hash}");
        }
    }

    #[test]
    fn versions_are_of_the_content() {
        let none = Cow::Borrowed(&[][..]);
        let site_of = |name: &str, text: &'static [u8]| {
            Site::new(vec![(name.to_owned(), Cow::Borrowed(text), none.clone(), none.clone())])
        };
        let site = |text: &'static str| site_of("a.js", text.as_bytes());
        assert_eq!(site("1").version(), site("1").version());
        assert_ne!(site("1").version(), site("2").version());
        let other = site_of("b.js", b"1");
        assert_ne!(site("1").version(), other.version());
    }
}
