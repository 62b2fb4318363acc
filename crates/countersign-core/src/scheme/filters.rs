//! Filters: which there are, what each takes, and what each makes of a list or of bytes.

use super::check::Checker;
use super::draft::{Arg, At, Atom, Expr, Filter as Draft, Span, Template as Text};
use super::model::{
    Bound, Chunk, Convert, FieldId, Filter, IfAbsent, Listing, Part, Primitive, SignatureRule, Source, Template,
    Value,
};
use super::vocabulary::{self, FILTERS};
use crate::alg::{Asymmetric, Hash, MOST_BLOCKS, ScalarKdf, ScalarOf};
use crate::canon::Charset;
use crate::scheme::draft;
use crate::time::TimeFormat;

/// What runs through a pipeline at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// Pairs of name and value.
    Pairs,
    /// Bytes.
    Scalar,
}

impl Checker<'_> {
    /// Resolves an expression, which must end as `end`.
    pub(super) fn value(&mut self, expr: &Expr, end: Flow) -> Option<Value> {
        let source = match &expr.atom {
            Atom::Name(name) => {
                // `{form | …}` and `{json | …}` are lists; so is `{query | …}`.
                self.source(name, expr.span)?
            }
            Atom::Quoted(inner) => Source::Quoted(self.template(inner)),
        };
        let mut flow = if matches!(source, Source::List(_)) { Flow::Pairs } else { Flow::Scalar };
        let mut filters = Vec::new();
        for draft in &expr.filters {
            let first = filters.is_empty();
            let (filter, after) = self.filter(draft, flow, if first { Some(&source) } else { None })?;
            flow = after;
            filters.push(filter);
        }
        if source == Source::Chunk(Chunk::Content) && !matches!(filters.first(), Some(Filter::Hash(_))) {
            let hint = "as in `{chunk | sha256 | hex}`".to_owned();
            self.fault(expr.span, "a chunk is signed by its digest: its content does not stay", hint);
            return None;
        }
        if flow != end {
            self.fault(
                expr.span,
                "a list stands where text is needed",
                "end it with `| each \"{k}={v}\" | join \"&\"`".to_owned(),
            );
            return None;
        }
        Some(Value { source, filters, span: expr.span })
    }

    fn filter(&mut self, draft: &Draft, flow: Flow, source: Option<&Source>) -> Option<(Filter, Flow)> {
        let name = draft.name.as_str();
        if let Some((.., arity)) = FILTERS.iter().find(|(known, ..)| *known == name)
            && !arity.contains(&draft.args.len())
        {
            return self.usage(draft);
        }
        if let Some((convert, lists)) = vocabulary::conversion(name) {
            self.takes(draft, 0)?;
            if flow == Flow::Pairs && !lists {
                return self.needs(draft, Flow::Scalar);
            }
            return Some((Filter::Convert(convert), flow));
        }
        if let Some(hash) = Hash::from_name(name) {
            self.takes(draft, 0)?;
            return self.scalar(draft, flow, Filter::Hash(Some(hash)));
        }
        if let Some(hash) = vocabulary::mac(name) {
            self.takes(draft, 1)?;
            let key = self.operand(draft, 0)?;
            return self.scalar(draft, flow, Filter::Hmac(Some(hash), key));
        }
        if Asymmetric::from_name(name).is_some() {
            self.fault(
                draft.span,
                format!("`{name}` can only make the signature"),
                "use it in `[sign] signature`".to_owned(),
            );
            return None;
        }
        match name {
            "after" => {
                let text = self.literal(draft, 0)?;
                self.scalar(draft, flow, Filter::After(text))
            }
            "after-last" => {
                let text = self.literal(draft, 0)?;
                self.scalar(draft, flow, Filter::AfterLast(text))
            }
            "before" => {
                let text = self.literal(draft, 0)?;
                self.scalar(draft, flow, Filter::Before(text))
            }
            "decode" | "encode" => {
                let charset = self.charset(draft)?;
                let encode = draft.name == "encode";
                let convert = if encode { Convert::Encode(charset) } else { Convert::Decode(charset) };
                Some((Filter::Convert(convert), flow))
            }
            "dedupe" => self.pairs(draft, flow, Filter::Dedupe),
            "digest" => self.scalar(draft, flow, Filter::Hash(None)),
            "drop-empty" => self.pairs(draft, flow, Filter::DropEmpty),
            "each" => {
                let nested = std::mem::replace(&mut self.in_each, true);
                let text = self.template_argument(draft, 0);
                self.in_each = nested;
                self.pairs(draft, flow, Filter::Each(text?))
            }
            "fastjson" => {
                let (filter, _) = self.pairs(draft, flow, Filter::Fastjson)?;
                Some((filter, Flow::Scalar))
            }
            "first" => self.pairs(draft, flow, Filter::First),
            "fold" => {
                let text = self.literal(draft, 0)?;
                self.pairs(draft, flow, Filter::Fold(text))
            }
            "granting" => {
                let (subject, separator) = (self.operand(draft, 0)?, self.literal(draft, 1)?);
                self.scalar(draft, flow, Filter::Granting(subject, separator))
            }
            "hkdf" => self.hkdf(draft, flow),
            "hmac" => {
                let key = self.operand(draft, 0)?;
                self.scalar(draft, flow, Filter::Hmac(None, key))
            }
            "if-any" => self.scalar(draft, flow, Filter::IfAny),
            "join" => {
                let text = self.literal(draft, 0)?;
                let (filter, _) = self.pairs(draft, flow, Filter::Join(text))?;
                Some((filter, Flow::Scalar))
            }
            "java-map" => self.pairs(draft, flow, Filter::JavaMap),
            "kdf-p256" => self.kdf(draft, flow, ScalarOf::P256),
            "kdf-sm2" => self.kdf(draft, flow, ScalarOf::Sm2),
            "last" => self.pairs(draft, flow, Filter::Last),
            "line" | "with" => {
                let item = self.literal(draft, 0)?;
                let value = self.template_argument(draft, 1)?;
                let name = String::from_utf8_lossy(&item).to_ascii_lowercase();
                self.pairs(draft, flow, Filter::With { name, value, bare: draft.name == "line" })
            }
            "listed" => {
                let field = self.names(draft)?;
                let globs = self.globs(draft, 1)?;
                self.pairs(draft, flow, Filter::Listed(field, globs))
            }
            "lower-names" => self.pairs(draft, flow, Filter::LowerNames),
            "member" => {
                let name = self.operand(draft, 0)?;
                self.scalar(draft, flow, Filter::Member(name))
            }
            "only" => {
                let globs = self.globs(draft, 0)?;
                self.pairs(draft, flow, Filter::Only(globs))
            }
            "or" => {
                let other = self.operand(draft, 0)?;
                self.scalar(draft, flow, Filter::Or(other))
            }
            "pct-only" => {
                let bytes = self.literal(draft, 0)?;
                self.scalar(draft, flow, Filter::PctOnly(bytes))
            }
            "pick" => self.pick(draft, flow),
            "ratchet" => self.ratchet(draft, flow),
            "slice" => self.slice(draft, flow),
            "sort" => self.pairs(draft, flow, Filter::Sort),
            "sort-collated" => self.pairs(draft, flow, Filter::SortCollated),
            "sort-items" => self.pairs(draft, flow, Filter::SortItems),
            "sort-kv" => self.pairs(draft, flow, Filter::SortKv),
            "strip-prefix" => {
                let text = self.literal(draft, 0)?;
                self.scalar(draft, flow, Filter::StripPrefix(text))
            }
            "time" => self.time(draft, source),
            "translate" => {
                let (from, to) = (self.literal(draft, 0)?, self.literal(draft, 1)?);
                if from.len() != to.len() || from.is_empty() {
                    self.fault(draft.span, "both sets need the same number of characters", None);
                    return None;
                }
                self.scalar(draft, flow, Filter::Translate(from, to))
            }
            "unless" | "when" => {
                let subject = self.operand(draft, 0)?;
                let values =
                    (1..draft.args.len()).map(|index| self.literal(draft, index)).collect::<Option<Vec<_>>>()?;
                if values.is_empty() {
                    self.takes(draft, 2)?;
                }
                self.scalar(draft, flow, Filter::When(subject, values, draft.name == "unless"))
            }
            "without" => {
                let globs = self.globs(draft, 0)?;
                self.pairs(draft, flow, Filter::Without(globs))
            }
            _ => {
                let hint = vocabulary::nearest(name, vocabulary::filter_names()).map_or_else(
                    || "`docs/schemes.md` lists them all".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                self.fault(draft.span, format!("unknown filter `{name}`"), hint);
                None
            }
        }
    }

    fn charset(&mut self, draft: &Draft) -> Option<Charset> {
        let name = self.word(draft, 0)?;
        let charset = Charset::from_name(&name);
        if charset.is_none() {
            self.fault(draft.span, format!("unknown character set `{name}`"), Charset::NAMES.join(" or "));
        }
        charset
    }

    fn pick(&mut self, draft: &Draft, flow: Flow) -> Option<(Filter, Flow)> {
        let name = self.word(draft, 0)?;
        let field = self.fields.iter().position(|field| field.name == name).map(Listing::Field);
        let var = || self.vars.iter().position(|var| var.name == name).map(Listing::Var);
        let Some(listing) = field.or_else(var) else {
            self.fault(draft.span, format!("no carrier captures `{{{name}:names}}`"), None);
            return None;
        };
        let absent = match draft.args.get(1) {
            None => IfAbsent::Reject,
            Some(_) => match self.word(draft, 1)?.as_str() {
                "empty" => IfAbsent::Empty,
                "reject" => IfAbsent::Reject,
                "skip" => IfAbsent::Skip,
                other => {
                    self.fault(draft.span, format!("unknown rule `{other}`"), "empty, skip or reject".to_owned());
                    return None;
                }
            },
        };
        self.pairs(draft, flow, Filter::Pick(listing, absent))
    }

    /// The capture of names that comes first.
    fn names(&mut self, draft: &Draft) -> Option<FieldId> {
        let name = self.word(draft, 0)?;
        let field = self.fields.iter().position(|field| field.name == name);
        if field.is_none() {
            self.fault(draft.span, format!("no carrier captures `{{{name}:names}}`"), None);
        }
        field
    }

    fn hkdf(&mut self, draft: &Draft, flow: Flow) -> Option<(Filter, Flow)> {
        let hash = self.hash(draft)?;
        let (salt, info) = (self.operand(draft, 1)?, self.operand(draft, 2)?);
        let length = self.number(draft, 3)?;
        let most = hash.output_len().saturating_mul(MOST_BLOCKS);
        if length == 0 || length > most {
            self.fault(
                draft.span,
                format!("HKDF makes no key of {length} bytes"),
                format!("1 to {most}: RFC 5869, section 2.3"),
            );
            return None;
        }
        self.scalar(draft, flow, Filter::Hkdf { hash, salt, info, length })
    }

    fn ratchet(&mut self, draft: &Draft, flow: Flow) -> Option<(Filter, Flow)> {
        let hash = self.hash(draft)?;
        let steps = (1..draft.args.len()).map(|index| self.operand(draft, index)).collect::<Option<Vec<_>>>()?;
        self.scalar(draft, flow, Filter::Ratchet(hash, steps))
    }

    /// The digest that is named first.
    fn hash(&mut self, draft: &Draft) -> Option<Hash> {
        let name = self.word(draft, 0)?;
        let hash = Hash::from_name(&name);
        if hash.is_none() {
            self.fault(
                draft.span,
                format!("unknown digest `{name}`"),
                "sha256, sha1, sha384, sha512, sm3 or md5".to_owned(),
            );
        }
        hash
    }

    fn slice(&mut self, draft: &Draft, flow: Flow) -> Option<(Filter, Flow)> {
        let from = self.number(draft, 0)?;
        let end = self.word(draft, 1)?;
        if let Some(id) = self.vars.iter().position(|var| var.name == end) {
            let default = self.vars.get(id).and_then(|var| var.default.as_deref());
            if default.is_some_and(|default| default.parse::<usize>().is_err()) {
                self.fault(draft.span, format!("the default of `{end}` is no number of bytes"), None);
                return None;
            }
            return self.scalar(draft, flow, Filter::Slice(from, Bound::Var(id)));
        }
        let to = self.number(draft, 1)?;
        if from >= to {
            self.fault(
                draft.span,
                format!("nothing lies between {from} and {to}"),
                "slice FROM TO, counted in bytes from 0".to_owned(),
            );
            return None;
        }
        self.scalar(draft, flow, Filter::Slice(from, Bound::At(to)))
    }

    fn time(&mut self, draft: &Draft, source: Option<&Source>) -> Option<(Filter, Flow)> {
        let name = self.word(draft, 0)?;
        let known = TimeFormat::from_name(&name).filter(|format| !matches!(format, TimeFormat::OneOf(_)));
        let Some(to) = known else {
            self.fault(
                draft.span,
                format!("unknown time type `{name}`"),
                "unix, unix-ms, iso, iso-basic, http-date, date, ymd or a pattern".to_owned(),
            );
            return None;
        };
        let from = match source {
            Some(Source::Field(id)) => self.fields.get(*id).and_then(|field| field.kind.time().cloned()),
            _ => None,
        };
        let Some(from) = from else {
            self.fault(
                draft.span,
                "`time` needs a captured instant in front of it",
                "as in `{timestamp | time ymd}`".to_owned(),
            );
            return None;
        };
        Some((Filter::Time(from, to), Flow::Scalar))
    }

    /// The rule behind `{base | …}`: one primitive, then encodings.
    pub(super) fn signature_rule(&mut self, expr: &Expr) -> Option<SignatureRule> {
        let Some((first, rest)) = expr.filters.split_first() else {
            self.fault(
                expr.span,
                "the signature has no primitive",
                "as in `{base | hmac-sha256 secret | hex}`".to_owned(),
            );
            return None;
        };
        let primitive = if let Some(hash) = Hash::from_name(&first.name) {
            self.takes(first, 0)?;
            Primitive::Digest(Some(hash))
        } else if first.name == "digest" {
            self.takes(first, 0)?;
            Primitive::Digest(None)
        } else if let Some(algorithm) = Asymmetric::from_name(&first.name) {
            self.takes(first, 1)?;
            self.asymmetric(first, algorithm)?
        } else if first.name == "hmac" || vocabulary::mac(&first.name).is_some() {
            self.takes(first, 1)?;
            Primitive::Mac(vocabulary::mac(&first.name), self.operand(first, 0)?)
        } else {
            self.fault(
                first.span,
                format!("`{}` is no primitive", first.name),
                vocabulary::nearest(&first.name, vocabulary::primitive_names()).map_or_else(
                    || "a digest, an HMAC or a signature comes first; compute what precedes it in `base`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                ),
            );
            return None;
        };
        let mut encode = Vec::new();
        for draft in rest {
            let (filter, _) = self.filter(draft, Flow::Scalar, None)?;
            let invertible = matches!(
                filter,
                Filter::Convert(
                    Convert::B64
                        | Convert::B64NoPad
                        | Convert::B64Url
                        | Convert::B64UrlPad
                        | Convert::Hex
                        | Convert::HexUpper
                        | Convert::Pct
                ) | Filter::Translate(..)
            );
            let encoding = invertible
                || matches!(
                    filter,
                    Filter::Slice(_, Bound::At(_)) | Filter::Convert(Convert::Upper | Convert::Lower)
                );
            if !encoding {
                self.fault(
                    draft.span,
                    format!("`{}` is no encoding", draft.name),
                    "what follows the primitive can only encode it".to_owned(),
                );
                return None;
            }
            if matches!(primitive, Primitive::Signature(_) | Primitive::Derived(..)) && !invertible {
                self.fault(
                    draft.span,
                    format!("`{}` cannot be undone", draft.name),
                    "a signature is verified from its bytes, so its encoding has to be reversible".to_owned(),
                );
                return None;
            }
            encode.push(filter);
        }
        Some(SignatureRule { primitive, encode, span: expr.span })
    }

    fn kdf(&mut self, draft: &Draft, flow: Flow, of: ScalarOf) -> Option<(Filter, Flow)> {
        let (label, context) = (self.literal(draft, 0)?, self.operand(draft, 1)?);
        let first = match draft.args.get(2) {
            Some(_) => u8::try_from(self.number(draft, 2)?).ok().filter(|first| *first < 2),
            None => Some(1),
        };
        let Some(first) = first else { return self.usage(draft) };
        self.scalar(draft, flow, Filter::Kdf(ScalarKdf { of, first }, label, context))
    }

    /// A signature with the key's own private half; on P-256 and SM2's curve also with one that is derived
    /// from the secret.
    fn asymmetric(&mut self, draft: &Draft, algorithm: Asymmetric) -> Option<Primitive> {
        let own = matches!(&self.argument(draft, 0)?.value, Arg::Word(word) if word == "private_key");
        match algorithm {
            _ if own => Some(Primitive::Signature(algorithm)),
            Asymmetric::EcdsaP256 { .. } | Asymmetric::Sm2 { .. } => {
                Some(Primitive::Derived(algorithm, self.operand(draft, 0)?))
            }
            _ => {
                self.fault(draft.span, format!("`{}` signs with `private_key`", draft.name), None);
                None
            }
        }
    }

    fn scalar(&mut self, draft: &Draft, flow: Flow, filter: Filter) -> Option<(Filter, Flow)> {
        if flow == Flow::Scalar { Some((filter, flow)) } else { self.needs(draft, Flow::Scalar) }
    }

    fn pairs(&mut self, draft: &Draft, flow: Flow, filter: Filter) -> Option<(Filter, Flow)> {
        if flow == Flow::Pairs { Some((filter, flow)) } else { self.needs(draft, Flow::Pairs) }
    }

    fn needs(&mut self, draft: &Draft, flow: Flow) -> Option<(Filter, Flow)> {
        let (message, hint) = match flow {
            Flow::Pairs => ("works on a list", "lists are query, form, params, headers, json and xml"),
            Flow::Scalar => ("works on text", "turn the list into text first: `each \"{k}={v}\" | join \"&\"`"),
        };
        self.fault(draft.span, format!("`{}` {message}", draft.name), hint.to_owned());
        None
    }

    fn takes(&mut self, draft: &Draft, count: usize) -> Option<()> {
        if draft.args.len() == count {
            return Some(());
        }
        self.usage(draft)
    }

    fn usage<T>(&mut self, draft: &Draft) -> Option<T> {
        let usage = FILTERS.iter().find(|(name, ..)| *name == draft.name).map_or_else(
            || match vocabulary::mac(&draft.name) {
                Some(_) => format!("{} KEY", draft.name),
                None if Asymmetric::from_name(&draft.name).is_some() => format!("{} private_key", draft.name),
                None => draft.name.clone(),
            },
            |(_, usage, _)| (*usage).to_owned(),
        );
        self.fault(draft.span, format!("`{}` is not used like this", draft.name), format!("write `{usage}`"));
        None
    }

    fn argument<'d>(&mut self, draft: &'d Draft, index: usize) -> Option<&'d At<Arg>> {
        let argument = draft.args.get(index);
        if argument.is_none() {
            return self.usage(draft);
        }
        argument
    }

    fn word(&mut self, draft: &Draft, index: usize) -> Option<String> {
        match &self.argument(draft, index)?.value {
            Arg::Word(word) => Some(word.clone()),
            Arg::Text(text) => match text.parts.as_slice() {
                [draft::Part::Literal(word)] => String::from_utf8(word.clone()).ok(),
                _ => self.usage(draft),
            },
        }
    }

    fn number(&mut self, draft: &Draft, index: usize) -> Option<usize> {
        let word = self.word(draft, index)?;
        word.parse().ok().or_else(|| self.usage(draft))
    }

    fn literal(&mut self, draft: &Draft, index: usize) -> Option<Vec<u8>> {
        match &self.argument(draft, index)?.value {
            Arg::Word(word) => Some(word.clone().into_bytes()),
            Arg::Text(Text { parts, .. }) => match parts.as_slice() {
                [] => Some(Vec::new()),
                [draft::Part::Literal(text)] => Some(text.clone()),
                _ => self.usage(draft),
            },
        }
    }

    fn template_argument(&mut self, draft: &Draft, index: usize) -> Option<Template> {
        match &self.argument(draft, index)?.value {
            Arg::Text(text) => Some(self.template(text)),
            Arg::Word(_) => self.usage(draft),
        }
    }

    /// A name or a template.
    fn operand(&mut self, draft: &Draft, index: usize) -> Option<Template> {
        let At { value, span } = self.argument(draft, index)?;
        match value {
            Arg::Text(text) => Some(self.template(text)),
            Arg::Word(name) => {
                let source = self.source(name, *span)?;
                if matches!(source, Source::List(_)) {
                    self.fault(*span, format!("`{name}` is a list"), None);
                    return None;
                }
                Some(single(source, *span))
            }
        }
    }

    /// The globs from an argument on.
    fn globs(&mut self, draft: &Draft, from: usize) -> Option<Vec<String>> {
        if draft.args.len() <= from {
            return self.usage(draft);
        }
        (from..draft.args.len()).map(|index| self.word(draft, index)).collect()
    }
}

fn single(source: Source, span: Span) -> Template {
    Template { parts: vec![Part::Value(Value { source, filters: Vec::new(), span })], span }
}
