//! Which sources are fetched again at the same time.

use crate::input::entry::Entry;

/// A template is made of all its values at one time, and none is kept in memory: fetching one of
/// its sources means fetching the others too, and those of their templates. `wanted` says by lookup
/// what is fetched anyway.
pub(crate) fn refetch_set(entries: &[Entry<'_>], mut wanted: Vec<bool>) -> Vec<usize> {
    let is = |wanted: &[bool], source: usize| wanted.get(source).copied().unwrap_or(false);
    let mut grows = true;
    while grows {
        grows = false;
        for entry in entries {
            if !entry.sources().any(|source| is(&wanted, source)) {
                continue;
            }
            for source in entry.sources() {
                if let Some(slot) = wanted.get_mut(source).filter(|slot| !**slot) {
                    *slot = true;
                    grows = true;
                }
            }
        }
    }
    wanted.iter().enumerate().filter(|(_, wanted)| **wanted).map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use plan::Plan;

    use super::*;
    use crate::input::entry::entries;

    /// Files by their sources, of five lookups.
    fn plan(files: &[&[usize]]) -> Plan {
        let lookup = |index: usize| serde_json::json!({"source": format!("kms://s{index}"), "region": "cn-hangzhou"});
        let file = |(index, sources): (usize, &&[usize])| match sources {
            [from] => {
                serde_json::json!({"name": format!("f{index}"), "from": from, "mode": "0444"})
            }
            sources => {
                let secret =
                    |from: &usize| serde_json::json!({"written": format!("s{from}"), "from": from});
                let secrets: Vec<_> = sources.iter().map(secret).collect();
                serde_json::json!({"name": format!("f{index}"), "mode": "0444",
                    "template": {"text": "", "secrets": secrets}})
            }
        };
        let json = serde_json::json!({
            "version": plan::VERSION, "mode": {"refresh": {"interval": 300}}, "mount": "/mnt/secrets-store",
            "identity": {"kind": "rrsa", "role": "acs:ram::1:role/app",
                "provider": "acs:ram::1:oidc-provider/ack-rrsa-c1",
                "session": "shop.app", "duration": 3600, "region": "cn-hangzhou"},
            "lookups": (0..5).map(lookup).collect::<Vec<_>>(),
            "files": files.iter().enumerate().map(file).collect::<Vec<_>>(),
            "timeout": 300, "consumers": [],
        });
        serde_json::from_value(json).unwrap()
    }

    fn asked(files: &[&[usize]], wanted: &[usize]) -> Vec<usize> {
        let plan = plan(files);
        refetch_set(&entries(&plan), (0..5).map(|index| wanted.contains(&index)).collect())
    }

    #[test]
    fn ordinary_files_need_nobody_else() {
        assert_eq!(asked(&[&[0], &[0], &[1], &[2]], &[0, 2]), [0, 2]);
    }

    #[test]
    fn a_template_needs_all_of_its_sources_and_those_that_hang_on_them() {
        let files: [&[usize]; 5] = [&[0], &[0, 1], &[3], &[2, 1], &[3, 4]];
        assert_eq!(asked(&files, &[0]), [0, 1, 2]);
        assert_eq!(asked(&files, &[4]), [3, 4]);
        assert_eq!(asked(&files, &[]), [0; 0]);
    }
}
