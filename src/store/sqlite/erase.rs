//! Erases step by step: what is found beside the writer is blanked by it, a little at a time. At the end nothing of it is left
//! in the files either: not in pages that are free, not in the log.

use super::super::mentions::Mentions;
use super::super::{Answer, Erase, Erased, Erasure, StoreError};
use super::SqliteStore;
use super::blank::{Blank, Blanked, Remove};
use super::left::{LOG, is_empty, with_ending};
use super::mentioned::{FindHooks, FindKnown, FindNumbers, FindRecordings, FindRemembered, FoundHook, Key};
use super::prune::give_back;
use super::recall::KnownKey;
use super::writer::{Command, Pending};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How many bytes of bodies one step blanks; one that is larger is blanked alone.
const MOST_BYTES_IN_STEP: usize = 4 << 20;
/// What lies between two steps, so that deliveries go on meanwhile.
const BETWEEN_STEPS: Duration = Duration::from_millis(5);
/// How often it is tried to empty the log, and what lies between.
const TRIES: usize = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// Gives pages that are free back to the disk, as what is in them was not written over when they were freed. Says whether
/// there are more.
struct Wipe;

impl Command for Wipe {
    type Done = bool;

    fn run(&self, database: &Connection, _: &mut Pending) -> rusqlite::Result<bool> {
        Ok(give_back(database)? > 0)
    }

    fn gives_back(&self, is_more: &bool) -> bool {
        !is_more
    }
}

impl Erase for SqliteStore {
    fn erase(&self, erasure: Erasure) -> Answer<'_, Erased> {
        Box::pin(self.erase_all(erasure))
    }
}

impl SqliteStore {
    async fn erase_all(&self, erasure: Erasure) -> Result<Erased, StoreError> {
        let (mentions, mut erased) = (Arc::new(Mentions::of(&erasure.whose)), Erased::default());
        let projects = Arc::new(self.erase_hooks(&erasure, &mentions, &mut erased).await?);
        self.erase_remembered(&erasure, &mentions, &projects, &mut erased).await?;
        self.erase_known(&erasure, &mentions, &mut erased).await?;
        self.erase_recordings(&erasure, &mentions, &projects, &mut erased).await?;
        self.erase_numbers(&erasure, &mentions, &projects, &mut erased).await?;
        if !erasure.is_dry_run {
            // The next hook of an event whose recording is gone is recorded.
            self.recorded.clear();
            erased.may_linger = !self.wipe().await?;
        }
        Ok(erased)
    }

    /// Blanks hooks; gives the projects that are erased with theirs.
    async fn erase_hooks(
        &self,
        erasure: &Erasure,
        mentions: &Arc<Mentions>,
        erased: &mut Erased,
    ) -> Result<BTreeSet<String>, StoreError> {
        let (mut projects, mut after) = (BTreeSet::new(), Some(i64::MIN));
        while let Some(from) = after {
            let found = self.search(FindHooks { mentions: Arc::clone(mentions), after: from }).await?;
            after = found.next;
            if mentions.is_project() {
                projects.extend(found.items.iter().filter_map(|hook| hook.project.clone()));
            }
            for hooks in steps(found.items) {
                erased.add(self.blank(erasure, mentions, hooks).await?);
            }
        }
        Ok(projects)
    }

    async fn blank(&self, erasure: &Erasure, mentions: &Arc<Mentions>, hooks: Vec<i64>) -> Result<Blanked, StoreError> {
        let blank = Blank {
            mentions: Arc::clone(mentions),
            hooks,
            ends_pending: erasure.ends_pending,
            is_dry_run: erasure.is_dry_run,
            now: erasure.now.as_microsecond(),
            at: erasure.at.as_microsecond(),
            queues: Arc::clone(&self.queues),
        };
        if erasure.is_dry_run {
            return self.search(blank).await;
        }
        let blanked = self.ask(blank).await?;
        tokio::time::sleep(BETWEEN_STEPS).await;
        Ok(blanked)
    }

    async fn erase_remembered(
        &self,
        erasure: &Erasure,
        mentions: &Arc<Mentions>,
        projects: &Arc<BTreeSet<String>>,
        erased: &mut Erased,
    ) -> Result<(), StoreError> {
        let mut after = Some(Key::default());
        while let Some(from) = after {
            let (mentions, projects) = (Arc::clone(mentions), Arc::clone(projects));
            let found = self.search(FindRemembered { mentions, projects, after: from }).await?;
            after = found.next;
            erased.remembered += found.items.len() as u64;
            self.remove(erasure, Remove { remembered: found.items, ..Remove::default() }).await?;
        }
        Ok(())
    }

    async fn erase_known(
        &self,
        erasure: &Erasure,
        mentions: &Arc<Mentions>,
        erased: &mut Erased,
    ) -> Result<(), StoreError> {
        let mut after = Some(KnownKey::default());
        while let Some(from) = after {
            let found = self.search(FindKnown { mentions: Arc::clone(mentions), after: from }).await?;
            after = found.next;
            erased.remembered += found.items.len() as u64;
            self.remove(erasure, Remove { known: found.items, ..Remove::default() }).await?;
        }
        Ok(())
    }

    async fn erase_recordings(
        &self,
        erasure: &Erasure,
        mentions: &Arc<Mentions>,
        projects: &Arc<BTreeSet<String>>,
        erased: &mut Erased,
    ) -> Result<(), StoreError> {
        let mut after = Some(i64::MIN);
        while let Some(from) = after {
            let (mentions, projects) = (Arc::clone(mentions), Arc::clone(projects));
            let found = self.search(FindRecordings { mentions, projects, after: from }).await?;
            after = found.next;
            erased.recordings += found.items.len() as u64;
            self.remove(erasure, Remove { recordings: found.items, ..Remove::default() }).await?;
        }
        Ok(())
    }

    async fn erase_numbers(
        &self,
        erasure: &Erasure,
        mentions: &Arc<Mentions>,
        projects: &Arc<BTreeSet<String>>,
        erased: &mut Erased,
    ) -> Result<(), StoreError> {
        let mut after = Some(i64::MIN);
        while let Some(from) = after {
            let (mentions, projects) = (Arc::clone(mentions), Arc::clone(projects));
            let found = self.search(FindNumbers { mentions, projects, after: from }).await?;
            after = found.next;
            erased.numbers += found.items.len() as u64;
            self.remove(erasure, Remove { numbers: found.items, ..Remove::default() }).await?;
        }
        Ok(())
    }

    async fn remove(&self, erasure: &Erasure, remove: Remove) -> Result<(), StoreError> {
        if erasure.is_dry_run || remove.is_empty() {
            return Ok(());
        }
        self.ask(Remove { held: self.known_rows.clone(), ..remove }).await?;
        tokio::time::sleep(BETWEEN_STEPS).await;
        Ok(())
    }

    /// Leaves nothing of what was freed in the files; says whether the log could be emptied, which whoever reads for long
    /// keeps it from.
    async fn wipe(&self) -> Result<bool, StoreError> {
        let Some(folder) = &self.folder else { return Ok(true) };
        let log = with_ending(&folder.database(), LOG);
        for _ in 0..TRIES {
            while self.ask(Wipe).await? {
                tokio::time::sleep(BETWEEN_STEPS).await;
            }
            if is_empty(&log) {
                return Ok(true);
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        Ok(false)
    }
}

impl Erased {
    fn add(&mut self, blanked: Blanked) {
        self.hooks += blanked.hooks.len() as u64;
        self.deliveries += blanked.deliveries;
        self.attempts += blanked.attempts;
        self.pending_left += blanked.pending_left;
        for (destination, ended) in blanked.ended {
            let ended = ended.len() as u64;
            match self.ended.iter_mut().find(|(name, _)| *name == destination) {
                Some((_, count)) => *count += ended,
                None => self.ended.push((destination, ended)),
            }
        }
    }
}

/// Hooks in the steps in which they are blanked.
fn steps(hooks: Vec<FoundHook>) -> Vec<Vec<i64>> {
    let (mut steps, mut step, mut size) = (Vec::new(), Vec::new(), 0);
    for hook in hooks {
        if !step.is_empty() && size + hook.size > MOST_BYTES_IN_STEP {
            steps.push(std::mem::take(&mut step));
            size = 0;
        }
        size += hook.size;
        step.push(hook.seq);
    }
    if !step.is_empty() {
        steps.push(step);
    }
    steps
}

#[cfg(test)]
mod tests;
