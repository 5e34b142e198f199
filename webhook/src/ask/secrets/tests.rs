use plan::Reference;

use super::*;
use crate::problem::Problem;

fn files(text: &str) -> Vec<(String, String)> {
    let mut problems = Problems::default();
    let wanted = read(text, PathTranslation::default(), &mut Budget::default(), &mut problems);
    assert_eq!(problems.message(), "", "{text}");
    wanted
        .values
        .iter()
        .map(|file| {
            let reference = Reference {
                source: file.secret.source.clone(),
                selector: file.secret.selector.clone(),
            };
            (file.name.to_string(), reference.to_string())
        })
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

fn wrong(text: &str) -> Vec<Problem> {
    let mut problems = Problems::default();
    read(text, PathTranslation::default(), &mut Budget::default(), &mut problems);
    assert!(!problems.as_slice().is_empty(), "{text}");
    problems.as_slice().to_vec()
}

#[test]
fn a_mapping_names_files() {
    assert_eq!(
        files(
            "db: kms://app/db\nuser: app/db#user.name\ntoken: {source: 'oos://t?version=3', fileMode: \"0440\"}\n"
        ),
        pairs(&[
            ("db", "kms://app/db"),
            ("user", "kms://app/db#user.name"),
            ("token", "oos://t?version=3")
        ])
    );
    assert_eq!(files("a/b: kms://x"), pairs(&[("a_b", "kms://x")]));
    assert_eq!(files("a: {source: ' kms://x ', jmesPath: b}"), pairs(&[("a", "kms://x#b")]));
    assert_eq!(files("- objectName: ' x '"), pairs(&[("x", "kms://x")]));
    assert_eq!(files("a: \"true\"\nb: '7'"), pairs(&[("a", "kms://true"), ("b", "kms://7")]));
    assert_eq!(
        files("{'~': kms://x, \"null\": y}"),
        pairs(&[("~", "kms://x"), ("null", "kms://y")])
    );
    assert_eq!(files(&format!("a: b{}", " ".repeat(64 * 1024 - 4))), pairs(&[("a", "kms://b")]));
    assert_eq!(files("{\"a\": \"kms://x#[b, c]\"}"), pairs(&[("a", "kms://x#[b, c]")]));
}

#[test]
fn a_list_holds_sources_and_csi_objects() {
    let text = "
- kms://app/db
- objectName: \"test-hangzhou\"
  objectType: kms
  objectAlias: alias
  objectVersionLabel: ACSPrevious
  kmsEndpoint: kms.{region}.aliyuncs.com
  jmesPath:
  - path: user
    objectAlias: u
  - path: \"join(',', hosts)\"
    objectAlias: h
- objectName: p
  objectType: oos
  objectVersion: 2
";
    assert_eq!(
        files(text),
        pairs(&[
            ("app_db", "kms://app/db"),
            ("alias", "kms://test-hangzhou?stage=ACSPrevious"),
            ("u", "kms://test-hangzhou?stage=ACSPrevious#user"),
            ("h", "kms://test-hangzhou?stage=ACSPrevious#join(',', hosts)"),
            ("p", "oos://p?version=2"),
        ])
    );
}

#[test]
fn a_pasted_list_may_have_empty_fields_and_any_case() {
    let text = "
- ObjectName: \"shop/db\"
  objecttype: \"kms\"
  OBJECTALIAS: \"\"
  objectVersion: \"\"
  objectVersionLabel: ~
  jmesPath:
  kmsEndpoint: null
  crossAccountRoleArn: ''
  region: \"\"
  externalId: \"\"
  fileMode:
  onMissing: \"\"
- objectName: 'on'
  objectType:
  jmesPath: []
- objectName: y1
  objectVersion: 12
  jmesPath:
  - Path: user
    ObjectAlias: u
";
    assert_eq!(
        files(text),
        pairs(&[
            ("shop_db", "kms://shop/db"),
            ("on", "kms://on"),
            ("y1", "kms://y1?version=12"),
            ("u", "kms://y1?version=12#user"),
        ])
    );
    // In our own form nothing is pasted.
    assert!(wrong("a: {source: kms://x, region: ''}")[0].what.contains("empty"));
}

#[test]
fn a_version_that_the_provider_ignored_is_told() {
    let mut problems = Problems::default();
    let text = "- objectName: a\n  objectType: oos\n  objectVersion: \"3\"\n- objectName: b\n  objectVersion: c\n";
    let files = read(text, PathTranslation::default(), &mut Budget::default(), &mut problems);
    assert_eq!((problems.message(), files.warnings.len()), (String::new(), 1));
    let told =
        "kms.alibabacloud/secrets, line 3, item 1, objectVersion: the CSI provider ignores it";
    assert!(files.warnings[0].to_string().starts_with(told), "{:?}", files.warnings);
}

#[test]
fn a_scalar_is_split_at_line_breaks_and_commas() {
    let expected = pairs(&[("a", "kms://a"), ("b_c", "kms://b/c"), ("d", "oos://d")]);
    for text in [
        "kms://a, b/c,oos://d",
        "kms://a\nb/c\noos://d\n",
        "\"kms://a, b/c, oos://d\"",
        "# mine\nkms://a,\nb/c,\noos://d",
        "  # theirs, kms://e\nkms://a\nb/c,oos://d",
        "kms://a\n  # theirs, kms://e\nb/c,oos://d",
        "kms://a # mine, too\nb/c,oos://d # theirs",
    ] {
        assert_eq!(files(text), expected, "{text}");
    }
}

#[test]
fn the_dash_before_every_field_gets_the_merged_form_shown() {
    let problems = wrong("- objectName: \"MySecret\"\n- objectType: \"oos\"\n");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].line, Some(2));
    assert!(problems[0].remedy.contains("- objectName: MySecret"), "{}", problems[0]);
    assert!(problems[0].remedy.contains("  objectType: oos"), "{}", problems[0]);
}

#[test]
fn each_mistake_has_its_own_words_and_line() {
    for (text, line, words) in [
        (
            "a: kms://x\nb: {source: kms://y, fileMode: 0400}",
            2,
            "write it quoted: fileMode: \"0400\"",
        ),
        ("a: kms://x\nb: kms://y\na: kms://z", 3, "given twice, first in line 1"),
        ("a_b: kms://x\na/b: kms://y", 2, "taken already by file \"a_b\""),
        ("a: kms://x#b\na: kms://x#c", 2, "give each extract a name of its own"),
        ("a: {source: kms://x, fileMode: }", 1, "the value is empty"),
        ("a: {source: kms://x, fileMode: rw}", 1, "mode \"rw\" is not valid"),
        ("a: {source: kms://x#b, jmesPath: c}", 1, "given twice"),
        ("- kms://x#a\n- kms://x#b", 2, "second extract"),
        ("kms://x#[a,b]", 1, "needs a file name of its own"),
        ("kms://x#join(',', a)", 1, "needs a file name of its own"),
        ("a: {source: kms://x, fileMod: \"0400\"}", 1, "did you mean fileMode?"),
        ("a: {source: kms://x, source: kms://y}", 1, "given twice"),
        ("a: {template: x}", 1, "uses no secret"),
        ("a: {template: {{ secret(\"x\") }}}", 1, "a"),
        ("- objectName: x\n  template: x", 2, "belongs to a file of a mapping"),
        (
            "a: {template: '{{ secret(\"x\") }}', source: x}",
            1,
            "there is either a source or a template",
        ),
        (
            "a: {template: '{{ secret(\"x\") }}', jmesPath: x}",
            1,
            "there is either a source or a template",
        ),
        ("a:\n  template: [x]", 2, "it is a list"),
        ("a: x\nb: {template: '{{ secret(\"s3://x\") }}'}", 2, "unknown scheme"),
        ("a: {template: '{{ secret(\"x#a..b\") }}'}", 1, "jmespath.org"),
        ("a: {template: \"\\n{{ x | nope }}\"}", 1, "template line 2: there is no filter"),
        ("a: {template: '{{ secret(\"x\") | dotnev }}'}", 1, "did you mean dotenv?"),
        ("a: x\na: {template: '{{ secret(\"x\") }}'}", 2, "given twice, first in line 1"),
        ("a: {fileMode: \"0400\"}", 1, "the source is missing"),
        ("a: [x]", 1, "cannot be a list"),
        ("a:", 1, "a source is empty"),
        ("? [a]\n: kms://x", 1, "cannot be a list"),
        ("- [a]", 1, "cannot be a list"),
        ("- a: kms://x", 1, "objectName is missing"),
        ("objectName: x\nobjectType: oos", 1, "begin the object with a dash"),
        ("kms://x: y", 1, "where the file name belongs"),
        ("- objectName: x\n  objectTyp: oos", 2, "did you mean objectType?"),
        ("- objectName: x\n  objectType: vault", 2, "neither kms nor oos"),
        ("- objectName: x\n  jmesPath:\n  - path: a..b\n    objectAlias: f", 3, "does not parse"),
        ("- objectName: x\n  jmesPath:\n  - path: a", 3, "objectAlias is missing"),
        ("- objectName: x\n  jmesPath: a", 2, "write a list"),
        (
            "- objectName: x\n  objectType: oos\n  kmsEndpoint: kms.cn-hangzhou.aliyuncs.com",
            1,
            "does not apply to an OOS",
        ),
        ("- objectName: x\n  objectType: oos\n  objectVersion: v1", 3, "no version of an OOS"),
        ("- objectName: x\n  objectType: oos\n  objectVersionLabel: a", 3, "no version labels"),
        ("- objectName: x\n  objectVersion: a\n  objectVersionLabel: b", 3, "keep one"),
        ("- objectName: x\n  externalId: abc", 2, "add crossAccountRoleArn"),
        ("- objectName: [x]", 1, "it is a list"),
        ("- objectName:\n  objectType: kms", 1, "the value is empty"),
        ("../x: kms://x", 1, "other directories"),
        ("./x: kms://x", 1, "other directories"),
        (
            "- objectName: x\n  jmesPath:\n  - path: a\n    objectAlias: ../x",
            4,
            "other directories",
        ),
        (".kms-x: kms://x", 1, "reserved"),
        ("- objectName: x\n  objectAlias: ..", 2, "directories"),
        ("\"a\\nb\": kms://x", 1, "a control or format character"),
        ("a: s3://x", 1, "unknown scheme"),
        ("a: s3://x", 1, "unknown scheme"),
        ("a: \"kms://x#a..b\"", 1, "jmespath.org"),
        ("[]", 1, "names no secret"),
        ("", 1, "names no secret"),
        ("# only a comment", 1, "names no secret"),
        ("a: b: c", 1, "not YAML"),
        ("a: {x", 1, "not YAML"),
        ("a: &x kms://x\nb: *x", 1, "write the value out at each place"),
        ("- objectName: x\n- objectName: &a y", 2, "item 2: anchors"),
        (
            "- objectName: x\n- objectName: !!str y",
            2,
            "item 2: tags (!!name) are not supported; leave the tag out, and put quotes",
        ),
        ("-objectName: x\n objectType: kms", 1, "no space behind it"),
        ("-objectName: x", 1, "write `- objectName: …`"),
        ("- objectName: x\n-ObjectName: y", 2, "no space behind it"),
        (
            "apiVersion: v1\nkind: SecretProviderClass\nspec: {provider: alibabacloud}",
            2,
            "a whole SecretProviderClass",
        ),
        (
            "spec:\n  provider: alibabacloud\n  parameters: {objects: x}",
            1,
            "a whole SecretProviderClass",
        ),
        ("parameters:\n  objects: |\n    - objectName: x", 1, "a whole SecretProviderClass"),
        ("objects: |\n  - ObjectName: x", 1, "leave out the line `objects: |`"),
        ("secretObjects:\n- secretName: x\n  type: Opaque", 1, "makes Kubernetes Secrets"),
        (
            "- objectName: x\n- secretName: x\n  type: Opaque\n  data: [{objectName: x, key: a}]",
            2,
            "makes Kubernetes Secrets",
        ),
        ("- objectName: x\n  objectPath: secret/x", 2, "a field of the Vault provider"),
        (
            "- objectName: 0123",
            1,
            "without quotes 0123 is that text here, and 83 to the CSI provider",
        ),
        (
            "- objectName: x\n  objectVersion: 1.10",
            2,
            "put what is meant in quotes: \"1.10\" or \"1.1\"",
        ),
        ("- objectName: x\n  objectAlias: on", 2, "\"on\" or \"true\""),
        ("- objectName: x\n  objectVersion: 1e3", 2, "\"1e3\" or \"1000\""),
        ("- objectName: x\n  objectAlias: Null", 2, "nothing to the CSI provider"),
        ("- objectName: x\n  jmesPath:\n  - path: on\n    objectAlias: f", 3, "\"on\" or \"true\""),
        ("- objectName: x\n  jmesPath:\n  - path: ''\n    objectAlias: f", 3, "is empty"),
        ("- objectName: x\n  ObjectName: y", 2, "given twice"),
        ("ObjectName: x", 1, "objectName is a field of a list item"),
        ("a: on", 1, "on is a boolean and no source"),
        ("a: 0123", 1, "0123 is a number and no source"),
        ("key: kms://x#api-key", 1, "stands in double quotes: #\"api-key\""),
        ("&x {a: kms://x}", 1, "anchors"),
        ("!!map {a: kms://x}", 1, "tags"),
        ("%YAML 1.2\n---\na: kms://x", 1, "not YAML"),
        ("~: kms://x", 1, "a file name is empty"),
    ] {
        let problems = wrong(text);
        let found = problems.iter().find(|problem| problem.to_string().contains(words));
        let found = found.unwrap_or_else(|| panic!("{text}: {problems:#?}"));
        assert_eq!(found.line, Some(line), "{text}: {found}");
    }
}

#[test]
fn all_problems_are_found_at_once() {
    let problems =
        wrong("a: s3://x\n../b: kms://x\nc: {source: kms://x#a..b, fileMode: 0400, nope: 1}\n");
    assert_eq!(problems.len(), 5, "{problems:#?}");
}

#[test]
fn with_translation_off_files_are_in_directories() {
    let off = |text: &str| {
        let mut problems = Problems::default();
        let files = read(text, PathTranslation::Off, &mut Budget::default(), &mut problems);
        let names = files.values.iter().map(|file| file.name.to_string()).collect::<Vec<_>>();
        (names.join(" "), problems.message())
    };
    let list = "- kms:///a/b\n- kms://c\n- objectName: d\n  objectAlias: e/f/g";
    assert_eq!(off(list), ("a/b c e/f/g".to_owned(), String::new()));
    for (text, words) in
        [("a/../b: x", "other directories"), ("a//b: x", "is empty"), ("a/.kms-b: x", "reserved")]
    {
        assert!(off(text).1.contains(words), "{text}: {}", off(text).1);
    }
}

#[test]
fn too_many_files_are_one_problem() {
    let text: String = (0..300).map(|index| format!("f{index}: kms://x\n")).collect();
    assert_eq!(wrong(&text).len(), 1);
}

#[test]
fn a_comma_inside_brackets_or_quotes_separates_nothing() {
    for text in ["kms://x#not_null((a), b)", "kms://x#a.\"b'c,d\"", "kms://x#join(',', a)"] {
        let problems = wrong(text);
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
    assert_eq!(wrong("kms://x#(a), s3://b").len(), 2);
}

#[test]
fn a_place_repeats_no_control_characters() {
    for text in ["\"a\\u001b\": s3://x", "- objectName: x\n  \"a\\u001b\": b"] {
        let problems = wrong(text);
        assert!(!problems[0].place.contains(['\u{1b}', '\\']), "{}", problems[0].place);
    }
}

#[test]
fn a_template_names_its_sources_and_is_kept_as_it_is() {
    let text = "app.env:\n  template: |\n    {{ secret(\"kms://db#user\") }}\n    {{ secret('tls') }}\n\n  fileMode: \"0440\"\n  onMissing: skip\n  region: cn-beijing\nb: kms://x\n";
    let mut problems = Problems::default();
    let files = read(text, PathTranslation::default(), &mut Budget::default(), &mut problems);
    assert_eq!(problems.message(), "");
    assert_eq!((files.values.len(), files.templates.len()), (1, 1));
    let file = &files.templates[0];
    assert_eq!(file.name.as_str(), "app.env");
    assert_eq!(file.text, "{{ secret(\"kms://db#user\") }}\n{{ secret('tls') }}\n");
    assert_eq!(file.options.mode.unwrap().to_string(), "0440");
    let secrets: Vec<_> = file
        .secrets
        .iter()
        .map(|(written, secret)| {
            assert_eq!(secret.at.region.as_ref().unwrap().as_str(), "cn-beijing");
            (written.as_str(), secret.source.to_string(), secret.place.what.as_str())
        })
        .collect();
    assert_eq!(
        secrets,
        [
            ("kms://db#user", "kms://db".to_owned(), "file \"app.env\", template line 1"),
            ("tls", "kms://tls".to_owned(), "file \"app.env\", template line 2"),
        ]
    );
}

#[test]
fn a_missing_source_is_found_beside_other_bad_fields_and_a_misspelt_one_is_not_missing() {
    let words = |text: &str| {
        wrong(text).iter().map(|problem| problem.what.clone()).collect::<Vec<_>>().join("; ")
    };
    let both = words("a: {fileMode: '9', region: X}");
    assert!(both.contains("the source is missing") && both.contains("region"), "{both}");
    for text in ["a: {sorce: kms://b}", "a: {source: ''}", "a: {[x]: y}"] {
        assert!(!words(text).contains("missing"), "{text}");
    }
}
