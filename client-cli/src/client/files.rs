//! File boxes: files from people to agents and back, of a repo or of the hub.

use car_api::{
    BoxFileName, Page, RepoId,
    filebox::{BoxFile, FileBox, FileLink},
};
use reqwest::{Method, Url};

use super::{Client, call, coverage};
use crate::ClientError;

/// The type of a body that is a file.
const BYTES: &str = "application/octet-stream";

/// What a file is put from: bytes, or an open file that is sent in pieces.
pub type Upload = reqwest::Body;

/// A file that is coming in.
pub struct Incoming {
    answer: reqwest::Response,
    at: String,
}

impl Incoming {
    /// Its next piece; nothing at its end.
    ///
    /// # Errors
    /// The connection broke off: what came is not the file.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let piece = self.answer.chunk().await.map_err(|e| call::network(&self.at, &e))?;
        Ok(piece.map(|bytes| bytes.to_vec()))
    }

    /// All of it.
    ///
    /// # Errors
    /// As [`Incoming::piece`].
    pub async fn whole(mut self) -> Result<Vec<u8>, ClientError> {
        let mut all = Vec::new();
        while let Some(piece) = self.piece().await? {
            all.extend(piece);
        }
        Ok(all)
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.answer.content_length()
    }
}

impl Client {
    /// All files of the hub's boxes, or of one of them.
    ///
    /// # Errors
    /// See the API.
    pub async fn file_list(&self, only: Option<FileBox>) -> Result<Page<BoxFile>, ClientError> {
        self.get("file_list", &["files"]).query("box", only).all().await
    }

    /// A file of the hub's boxes.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn file_get(
        &self,
        r#box: FileBox,
        name: &BoxFileName,
    ) -> Result<Incoming, ClientError> {
        self.take("file_get", &["files", r#box.as_str(), name.as_str()]).await
    }

    /// A link to a file of the hub's boxes, for a browser.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn file_link(
        &self,
        r#box: FileBox,
        name: &BoxFileName,
    ) -> Result<FileLink, ClientError> {
        let path = ["files", r#box.as_str(), name.as_str(), "link"];
        self.post("file_link", &path).json().await
    }

    /// The file behind a link; a second time there is none.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn download_get(&self, link: &FileLink) -> Result<Incoming, ClientError> {
        let secret = link.path.rsplit('/').next().unwrap_or_default();
        self.fetch("download_get", self.root_url(&["download", secret])).await
    }

    /// Puts a file into one of the hub's boxes.
    ///
    /// # Errors
    /// `too_large`.
    pub async fn file_put(
        &self,
        r#box: FileBox,
        name: &BoxFileName,
        content: impl Into<Upload>,
    ) -> Result<BoxFile, ClientError> {
        let path = ["files", r#box.as_str(), name.as_str()];
        self.put("file_put", &path).upload(BYTES, content.into()).await
    }

    /// Deletes a file of the hub's boxes.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn file_delete(&self, r#box: FileBox, name: &BoxFileName) -> Result<(), ClientError> {
        self.delete("file_delete", &["files", r#box.as_str(), name.as_str()]).done().await
    }

    /// All files of a repo's boxes, or of one of them.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn repo_file_list(
        &self,
        repo: &RepoId,
        only: Option<FileBox>,
    ) -> Result<Page<BoxFile>, ClientError> {
        let path = ["repos", repo.as_str(), "files"];
        self.get("repo_file_list", &path).query("box", only).all().await
    }

    /// A file of a repo's boxes.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn repo_file_get(
        &self,
        repo: &RepoId,
        r#box: FileBox,
        name: &BoxFileName,
    ) -> Result<Incoming, ClientError> {
        let path = ["repos", repo.as_str(), "files", r#box.as_str(), name.as_str()];
        self.take("repo_file_get", &path).await
    }

    /// A link to a file of a repo's boxes, for a browser.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn repo_file_link(
        &self,
        repo: &RepoId,
        r#box: FileBox,
        name: &BoxFileName,
    ) -> Result<FileLink, ClientError> {
        let path = ["repos", repo.as_str(), "files", r#box.as_str(), name.as_str(), "link"];
        self.post("repo_file_link", &path).json().await
    }

    /// Puts a file into one of a repo's boxes.
    ///
    /// # Errors
    /// `too_large`, `not_found`.
    pub async fn repo_file_put(
        &self,
        repo: &RepoId,
        r#box: FileBox,
        name: &BoxFileName,
        content: impl Into<Upload>,
    ) -> Result<BoxFile, ClientError> {
        let path = ["repos", repo.as_str(), "files", r#box.as_str(), name.as_str()];
        self.put("repo_file_put", &path).upload(BYTES, content.into()).await
    }

    /// Deletes a file of a repo's boxes.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn repo_file_delete(
        &self,
        repo: &RepoId,
        r#box: FileBox,
        name: &BoxFileName,
    ) -> Result<(), ClientError> {
        let path = ["repos", repo.as_str(), "files", r#box.as_str(), name.as_str()];
        self.delete("repo_file_delete", &path).done().await
    }

    async fn take(&self, operation: &'static str, path: &[&str]) -> Result<Incoming, ClientError> {
        self.fetch(operation, self.api_url(path)).await
    }

    async fn fetch(&self, operation: &'static str, url: Url) -> Result<Incoming, ClientError> {
        coverage::record(operation);
        let sent = self.http.request(Method::GET, url).send().await;
        let (answer, _) = call::begun(self, sent).await?;
        Ok(Incoming { answer, at: self.url().to_owned() })
    }
}
