//! Roles, pages, tasks, follow-ups, updates, marked messages and the post-mortem.

use super::*;

impl State {
    pub(super) fn apply_people(&mut self, event: &Event, recorded: &Recorded) {
        let by = recorded.by.clone();
        match event {
            Event::RoleTaken { role, person } => {
                let holders = self.roles.entry(*role).or_default();
                if role.is_single() {
                    holders.clear();
                }
                holders.insert(person.clone());
                self.involved.insert(person.clone());
            }
            Event::RoleReleased { role, person } => {
                if let Some(holders) = self.roles.get_mut(role) {
                    holders.remove(person);
                }
            }
            Event::HandedOver { role, from, to, .. } => {
                let holders = self.roles.entry(*role).or_default();
                holders.remove(from);
                holders.insert(to.clone());
                self.involved.insert(to.clone());
            }
            Event::Invited { people } => self.invited.extend(people.iter().cloned()),
            Event::Paged {
                page,
                role,
                people,
                message,
            } => {
                let paged = Page {
                    role: *role,
                    people: people.clone(),
                    message: message.clone(),
                    by,
                    times: 1,
                    acknowledged: None,
                };
                self.pages.insert(*page, paged);
            }
            Event::PageRepeated { page, times } => {
                if let Some(page) = self.pages.get_mut(page) {
                    page.times = *times;
                }
            }
            Event::PageAcknowledged { page } => {
                if let Some(page) = self.pages.get_mut(page) {
                    page.acknowledged = by.person().cloned();
                }
            }
            Event::TaskAdded {
                task,
                text,
                owner,
                source,
                marking,
            } => {
                let added = Task {
                    text: text.clone(),
                    owner: owner.clone(),
                    source: source.clone(),
                    wanted: Wanted::at_first(by, *marking),
                    end: None,
                    event: recorded.seq,
                };
                self.tasks.insert(*task, added);
            }
            Event::TaskAssigned { task, owner } => {
                if let Some(task) = self.tasks.get_mut(task) {
                    task.owner = Some(owner.clone());
                    task.wanted.changed = true;
                }
            }
            Event::TaskDone { task, note } => {
                if let Some(task) = self.tasks.get_mut(task) {
                    task.end = Some(Ended::Done {
                        by,
                        note: note.clone(),
                    });
                }
            }
            Event::TaskDropped {
                task,
                reason,
                taken_back,
            } => {
                if let Some(task) = self.tasks.get_mut(task) {
                    task.wanted.dropped(*taken_back);
                    task.end = Some(Ended::Dropped {
                        by,
                        reason: reason.clone(),
                        taken_back: *taken_back,
                    });
                }
            }
            _ => self.apply_followups(event, recorded),
        }
    }

    pub(super) fn apply_followups(&mut self, event: &Event, recorded: &Recorded) {
        let by = recorded.by.clone();
        match event {
            Event::FollowupAdded {
                followup,
                text,
                owner,
                due,
                tracker,
                source,
                marking,
            } => {
                let added = Followup {
                    text: text.clone(),
                    owner: owner.clone(),
                    due: *due,
                    tracker: tracker.clone(),
                    source: source.clone(),
                    wanted: Wanted::at_first(by, *marking),
                    end: None,
                    event: recorded.seq,
                };
                self.followups.insert(*followup, added);
            }
            Event::FollowupChanged {
                followup,
                owner,
                due,
                tracker,
            } => {
                if let Some(followup) = self.followups.get_mut(followup) {
                    followup.owner = owner.clone().or(followup.owner.take());
                    followup.due = due.or(followup.due);
                    followup.tracker = tracker.clone().or(followup.tracker.take());
                    followup.wanted.changed = true;
                }
            }
            Event::FollowupDone { followup, note } => {
                if let Some(followup) = self.followups.get_mut(followup) {
                    followup.end = Some(Ended::Done {
                        by,
                        note: note.clone(),
                    });
                }
            }
            Event::FollowupDropped {
                followup,
                reason,
                taken_back,
            } => {
                if let Some(followup) = self.followups.get_mut(followup) {
                    followup.wanted.dropped(*taken_back);
                    followup.end = Some(Ended::Dropped {
                        by,
                        reason: reason.clone(),
                        taken_back: *taken_back,
                    });
                }
            }
            Event::Seconded { made, marking } => {
                if let (Some(wanted), By::Person { id }) = (self.wanted(*made), by) {
                    wanted.by.insert((id, *marking));
                }
            }
            Event::ReactionTakenBack { made, marking } => {
                if let (Some(wanted), By::Person { id }) = (self.wanted(*made), by) {
                    wanted.by.remove(&(id, *marking));
                }
            }
            _ => {}
        }
    }

    fn wanted(&mut self, made: Made) -> Option<&mut Wanted> {
        match made {
            Made::Task(task) => self.tasks.get_mut(&task).map(|task| &mut task.wanted),
            Made::Followup(followup) => {
                let followup = self.followups.get_mut(&followup);
                followup.map(|followup| &mut followup.wanted)
            }
        }
    }

    pub(super) fn apply_words(&mut self, event: &Event, recorded: &Recorded) {
        let by = recorded.by.clone();
        match event {
            Event::UpdateSent { text, next } => {
                self.update_due = *next;
                let sent = Update {
                    text: text.clone(),
                    by,
                    at: recorded.occurred,
                    next: *next,
                    event: recorded.seq,
                };
                self.updates.push(sent);
            }
            Event::UpdateSnoozed { until } => self.update_due = Some(*until),
            Event::MessageMarked { marked, reacted } => {
                let mark = self.marks.entry(marked.message.clone()).or_insert_with(|| Mark {
                    marked: marked.clone(),
                    at: recorded.occurred,
                    by: BTreeSet::new(),
                    reacted: BTreeSet::new(),
                    earlier: Vec::new(),
                    files: Default::default(),
                    removed: None,
                    event: recorded.seq,
                });
                mark.removed = None;
                mark.by.extend(by.person().cloned());
                if *reacted {
                    mark.reacted.extend(by.person().cloned());
                }
            }
            Event::MessageChanged { message, text } => {
                if let Some(mark) = self.marks.get_mut(message) {
                    mark.earlier
                        .push(std::mem::replace(&mut mark.marked.text, text.clone()));
                }
            }
            Event::MessageUnmarked { message, why } => {
                if let Some(mark) = self.marks.get_mut(message) {
                    // It stays as long as somebody else wants it there.
                    match by.person() {
                        Some(person) => {
                            mark.by.remove(person);
                            mark.reacted.remove(person);
                        }
                        None => {
                            mark.by.clear();
                            mark.reacted.clear();
                        }
                    }
                    mark.removed = mark.by.is_empty().then(|| why.clone());
                }
            }
            Event::FileKept {
                message,
                file,
                size,
                sha256,
                ..
            } => {
                let kept = FileFate::Kept {
                    size: *size,
                    sha256: sha256.clone(),
                    event: recorded.seq,
                };
                self.settle_file(message, file, kept);
            }
            Event::FileMissed {
                message, file, why, ..
            } => {
                let missed = FileFate::Missed {
                    why: why.clone(),
                    event: recorded.seq,
                };
                self.settle_file(message, file, missed);
            }
            Event::Redacted { row, messages, .. } => {
                self.redacted.extend(messages.iter().cloned());
                self.forget_files(*row, messages, recorded.seq);
            }
            Event::SectionWritten { section, text } => {
                let written = Written {
                    text: text.clone(),
                    by,
                    at: recorded.occurred,
                    event: recorded.seq,
                };
                self.sections.insert(*section, written);
            }
            Event::ReviewChanged { to, .. } => self.review = *to,
            Event::PostmortemReminded { .. } => {
                self.postmortem_remind = Some(after(recorded.recorded, POSTMORTEM_EVERY_S));
            }
            Event::PostmortemSnoozed { until } => self.postmortem_remind = Some(*until),
            _ => {}
        }
    }

    /// What was not read yet when its message was redacted is not read any more.
    fn forget_files(&mut self, row: u64, messages: &[MessageRef], event: u64) {
        let marks = self.marks.values_mut();
        for mark in marks.filter(|mark| mark.event == row || messages.contains(&mark.marked.message)) {
            for file in &mark.marked.files {
                let missed = || FileFate::Missed {
                    why: "the message was redacted".to_owned(),
                    event,
                };
                mark.files.entry(file.id.clone()).or_insert_with(missed);
            }
        }
    }

    fn settle_file(&mut self, message: &MessageRef, file: &str, fate: FileFate) {
        if let Some(mark) = self.marks.get_mut(message) {
            mark.files.insert(file.to_owned(), fate);
        }
    }
}

impl Wanted {
    fn at_first(by: By, marking: Marking) -> Self {
        let by = by.person().cloned().map(|person| (person, marking));
        Self {
            by: by.into_iter().collect(),
            changed: false,
        }
    }

    /// Dropped by hand, the reactions stand at the message as before.
    fn dropped(&mut self, taken_back: bool) {
        if taken_back {
            self.by.clear();
        }
    }
}
