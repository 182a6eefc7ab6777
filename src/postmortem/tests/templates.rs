use std::sync::Arc;

use super::*;
use crate::postmortem::sample::incident;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// The message, without the folder of this machine.
fn said(folder: &tempfile::TempDir, error: TemplateError) -> String {
    error
        .to_string()
        .replace(&folder.path().display().to_string(), "(folder)")
}

fn markdown_error(text: &str) -> String {
    let folder = folder(&[("postmortem.md.j2", text)]);
    let document = Arc::new(document(&incident()));
    let error = Templates::from_folder(folder.path())
        .and_then(|own| own.markdown(&document))
        .unwrap_err();
    said(&folder, error)
}

#[test]
fn an_own_template_is_used_and_named_by_its_digest() {
    let text = "# {{ doc.header.number }}\n{% include \"foot.j2\" %}";
    let folder = folder(&[
        ("postmortem.md.j2", text),
        ("foot.j2", "{{ template.digest|short|length }} letters"),
    ]);
    let own = Templates::from_folder(folder.path()).unwrap();
    assert_eq!(
        own.markdown(&Arc::new(document(&incident()))).unwrap(),
        "# INC-7\n12 letters\n"
    );
}

#[test]
fn what_is_not_there_is_taken_from_those_shipped() {
    let folder = folder(&[("postmortem.md.j2", "x")]);
    let document = Arc::new(document(&incident()));
    let own = Templates::from_folder(folder.path()).unwrap();
    assert!(
        own.html(&document)
            .unwrap()
            .contains("Month-end posting books entries twice")
    );
}

#[test]
fn own_templates_escape_as_the_shipped_ones_do() {
    let folder = folder(&[
        ("postmortem.html.j2", "{{ '<b>' }}"),
        ("postmortem.md.j2", "x {{ '<b> [a](b)' }}"),
    ]);
    let own = Templates::from_folder(folder.path()).unwrap();
    let document = Arc::new(document(&incident()));
    assert_eq!(own.html(&document).unwrap(), "&lt;b&gt;\n");
    assert_eq!(own.markdown(&document).unwrap(), "x \\<b> \\[a\\](b)\n");
}

#[test]
fn a_template_that_is_not_closed_names_file_and_line() {
    insta::assert_snapshot!(markdown_error("# one\n{% if doc %}\nnever closed\n"), @r####"(folder)/postmortem.md.j2:3: syntax error: unexpected end of input, expected end of block. Every `{%` needs its `%}`, every `{{` its `}}`, every `if` and `for` its end. The line reads `never closed`."####);
}

#[test]
fn a_template_that_asks_for_a_field_there_is_not_names_it() {
    insta::assert_snapshot!(markdown_error("# one\n\n{{ doc.header.numbr.x }}\n"), @r####"(folder)/postmortem.md.j2:3: undefined value: `doc.header.numbr` is undefined. The names there are: `doc` (its fields stand in schemas/postmortem.schema.json), `figure` and `template`. The line reads `{{ doc.header.numbr.x }}`."####);
}

#[test]
fn a_template_with_an_unknown_filter_is_told_which_there_are() {
    insta::assert_snapshot!(markdown_error("{{ doc.header.title|shout }}\n"), @r####"(folder)/postmortem.md.j2:1: unknown filter: filter shout is unknown. Besides the filters of minijinja there are `minute`, `clock`, `cite`, `short`, `quote`, `code`, `cell` and `block`. The line reads `{{ doc.header.title|shout }}`."####);
}

#[test]
fn a_template_that_includes_what_is_not_there_is_told_where_it_would_lie() {
    insta::assert_snapshot!(markdown_error("one\n{% include \"gone.j2\" %}\n"), @r####"(folder)/postmortem.md.j2:2: template not found: tried to include non-existing template 'gone.j2'. What a template includes lies beside it and ends in `.j2`. The line reads `{% include "gone.j2" %}`."####);
}

#[test]
fn a_folder_without_templates_is_an_error_and_not_the_shipped_ones() {
    let folder = folder(&[("notes.txt", "x")]);
    let error = Templates::from_folder(folder.path()).err().unwrap();
    insta::assert_snapshot!(said(&folder, error), @r####"the template folder (folder) has neither postmortem.md.j2 nor postmortem.html.j2. Put one there, or take `templates` out of the config."####);
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let error = Templates::from_folder(std::path::Path::new("/nowhere/at/all"))
        .err()
        .unwrap();
    insta::assert_snapshot!(error.to_string(), @r####"the template folder /nowhere/at/all cannot be read: No such file or directory (os error 2). Make it readable, or take `templates` out of the config."####);
}

#[test]
fn a_template_that_is_no_text_is_an_error() {
    let folder = folder(&[]);
    std::fs::write(folder.path().join("postmortem.md.j2"), [0xff, 0xfe, 0x00]).unwrap();
    let error = Templates::from_folder(folder.path()).err().unwrap();
    insta::assert_snapshot!(said(&folder, error), @r####"the template (folder)/postmortem.md.j2 cannot be used: stream did not contain valid UTF-8."####);
}

#[test]
fn a_template_of_a_megabyte_and_more_is_an_error() {
    let folder = folder(&[("postmortem.md.j2", &"x".repeat((1 << 20) + 1))]);
    let error = Templates::from_folder(folder.path()).err().unwrap();
    insta::assert_snapshot!(said(&folder, error), @r####"the template (folder)/postmortem.md.j2 cannot be used: it has 1048577 bytes; at most 1048576 are read."####);
}
