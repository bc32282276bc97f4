//! The files of the page as they are sent: the program of the first screen as one file, its styles as
//! another, and the list of what the other screens are made of. Shared with the build script.

use std::collections::BTreeMap;

use crate::bundle::{bundled, is_module, without_remarks};

/// The page that names the styles, in the order in which they hold.
const PAGE: &str = "index.html";

/// Where they are all together.
const SHEET: &str = "style/page.css";

/// What the page's worker fetches once the first screen is there, a path a line, so that every other
/// screen opens at once, and without a network too.
const LIST: &str = "files.txt";

/// Larger files are fetched by whoever needs them: not every phone shows a terminal.
const LARGE: usize = 128 * 1024;

/// All files of the page by their paths.
pub(crate) fn sent(files: Vec<(String, Vec<u8>)>) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut modules = BTreeMap::new();
    let mut others = BTreeMap::new();
    for (name, bytes) in files {
        if is_module(&name) {
            modules.insert(name.clone(), read(&name, bytes)?);
        } else {
            others.insert(name, bytes);
        }
    }
    if let Some(page) = others.remove(PAGE) {
        let page = styled(&read(PAGE, page)?, &mut others)?;
        others.insert(PAGE.to_owned(), page.into_bytes());
    }
    if !modules.is_empty() {
        let modules = bundled(&modules)?;
        others.extend(modules.into_iter().map(|(name, text)| (name, text.into_bytes())));
    }
    let listed = others.iter().filter(|(name, bytes)| {
        (is_module(name) || name.ends_with(".css")) && bytes.len() <= LARGE
    });
    let list: String = listed.map(|(name, _)| format!("{name}\n")).collect();
    others.insert(LIST.to_owned(), list.into_bytes());
    Ok(others.into_iter().collect())
}

fn read(name: &str, bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| format!("{name}: {error}"))
}

/// The page with one style sheet in place of those it names, which move into it.
fn styled(page: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<String, String> {
    let (mut out, mut sheet) = (String::new(), String::new());
    for line in page.lines() {
        let address = line.trim().strip_prefix("<link rel=\"stylesheet\" href=\"{{assets}}/");
        let Some(name) = address.and_then(|rest| rest.strip_suffix("\">")) else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        if sheet.is_empty() {
            out.push_str(&line.replace(name, SHEET));
            out.push('\n');
        }
        let style = files.remove(name).ok_or_else(|| format!("there is no {name}"))?;
        sheet.push_str(&without_remarks(&read(name, style)?));
    }
    files.insert(SHEET.to_owned(), sheet.into_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes((name, text): &(&str, &str)) -> (String, Vec<u8>) {
        ((*name).to_owned(), text.as_bytes().to_vec())
    }

    fn texts(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        let text = |(name, bytes)| (name, String::from_utf8(bytes).unwrap());
        sent(files.iter().map(bytes).collect()).unwrap().into_iter().map(text).collect()
    }

    #[test]
    fn the_styles_of_the_page_are_one_file_in_their_order() {
        let page = "<head>\n  <link rel=\"stylesheet\" href=\"{{assets}}/style/b.css\">\n  \
                    <link rel=\"stylesheet\" href=\"{{assets}}/style/a.css\">\n</head>\n";
        let files = [
            ("index.html", page),
            ("style/a.css", "/* One. */\na {\n  b: c;\n}\n"),
            ("style/b.css", "b {}\n"),
            ("style/later.css", "c {}\n"),
        ];
        let sent = texts(&files);
        let names: Vec<_> = sent.keys().map(String::as_str).collect();
        assert_eq!(names, ["files.txt", "index.html", "style/later.css", "style/page.css"]);
        assert_eq!(
            sent["index.html"],
            "<head>\n  <link rel=\"stylesheet\" href=\"{{assets}}/style/page.css\">\n</head>\n"
        );
        assert_eq!(sent["style/page.css"], "b {}\na {\nb: c;\n}\n");
        let gone = super::sent(vec![bytes(&files[0])]).unwrap_err();
        assert_eq!(gone, "there is no style/b.css");
    }

    #[test]
    fn the_list_names_what_every_screen_is_made_of() {
        let large = "x".repeat(LARGE);
        let sent = texts(&[
            ("main.js", "import('./screen/home.js');\nimport('./screen/late.js');\n"),
            ("screen/home.js", "export default 1;\n"),
            ("screen/late.js", "export default 2;\n"),
            ("style/late.css", "a {}\n"),
            ("sw.js", "1;\n"),
            ("icon.png", "1"),
            ("vendor/large.js", &format!("export const large = '{large}';\n")),
        ]);
        assert_eq!(sent["files.txt"], "main.js\nscreen/late.js\nstyle/late.css\n");
    }
}
