/// The options that stand for the settings of the libraries.
///
/// A library's message names a setting in backticks, as `batchTokens`; the command line shows the option instead,
/// `--batch-tokens`.
enum OptionNames {
    /// Settings whose option is not simply their name with hyphens.
    private static let others = [
        "deadAfterTokens": "dead-after", "decayFraction": "decay", "includesBOS": "bos", "maximumTokens": "tokens",
        "overwriting": "force", "replacing": "force", "warmupFraction": "warmup",
    ]

    /// A message with every setting in backticks replaced by its option. Other words in backticks stay as they are.
    static func spelled(_ message: String) -> String {
        // Preparing the regular expression would take as long as opening a catalog.
        guard message.utf8.contains(UInt8(ascii: "`")) else { return message }
        return message.replacing(/`([a-z][A-Za-z0-9]*)`/) { match in
            option(of: String(match.1)).map { "--" + $0 } ?? String(match.0)
        }
    }

    /// The option that stands for a setting, the hyphens before it left off; nil where no verb has one.
    static func option(of setting: String) -> String? {
        let name = others[setting] ?? hyphenated(setting)
        return all.contains(name) ? name : nil
    }

    /// `batchTokens` as `batch-tokens`.
    private static func hyphenated(_ setting: String) -> String {
        setting.reduce(into: "") { name, character in
            if character.isUppercase { name += "-" }
            name += character.lowercased()
        }
    }

    private static let all = Set(Verb.all.flatMap(\.options))
}
