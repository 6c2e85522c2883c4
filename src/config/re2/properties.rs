//! The classes of `\p{…}` that RE2 knows: kinds of characters and scripts, each by one name. The library knows more names, and
//! does not mind how they are written.

use crate::mapping::diagnostic::did_you_mean;

const KINDS: &str =
    "C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs";
/// Of Unicode 15, as RE2 had them when this was written.
const SCRIPTS: &str = "\
    Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki \
    Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee \
    Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan \
    Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi \
    Gurmukhi Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited \
    Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi \
    Khitan_Small_Script Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani \
    Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui \
    Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari \
    New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian \
    Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong \
    Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian \
    Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le \
    Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai \
    Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square";

/// A class in the library's words.
///
/// # Errors
/// That RE2 does not know it, as a sentence.
pub(super) fn class(name: &str, is_without: bool, shown: &str) -> Result<String, String> {
    let known = |all: &str| all.split_ascii_whitespace().any(|known| known == name);
    let sign = if is_without { 'P' } else { 'p' };
    let caret = if is_without { "^" } else { "" };
    match name {
        "Any" => Ok(format!(r"\{sign}{{Any}}")),
        // The library counts what Unicode has not given away among them.
        "C" => Ok(format!(r"[{caret}\p{{gc=Cc}}\p{{gc=Cf}}\p{{gc=Co}}]")),
        // What has no place in a text: nothing.
        "Cs" => Ok(format!(r"\{}{{Any}}", if is_without { 'p' } else { 'P' })),
        _ if known(KINDS) => Ok(format!(r"\{sign}{{gc={name}}}")),
        _ if known(SCRIPTS) => Ok(format!(r"\{sign}{{sc={name}}}")),
        _ => Err(unknown(name, shown)),
    }
}

fn unknown(name: &str, shown: &str) -> String {
    let all = || [KINDS, SCRIPTS].into_iter().flat_map(str::split_ascii_whitespace);
    let value = name.split_once('=').map_or(name, |(_, value)| value);
    let suggestion = match all().find(|known| known.eq_ignore_ascii_case(value)) {
        Some(known) => format!(", did you mean `{known}`?"),
        None if value.chars().count() > 2 => did_you_mean(value, all().filter(|known| known.len() > 2)),
        None => String::new(),
    };
    let example = r": write a kind such as `\p{Lu}` or a script such as `\p{Greek}`";
    let example = if suggestion.is_empty() { example } else { "" };
    format!("RE2 does not know `{shown}`{suggestion}{example}")
}
