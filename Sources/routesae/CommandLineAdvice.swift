import ArgumentParser

/// Suggests the intended command or option for an unknown one.
struct CommandLineAdvice {
    /// The arguments, without the program's name.
    let arguments: [String]

    /// The problem with the command; nil if it exists, or none is given.
    ///
    /// The argument parser answers `nonsense --help` and `help nonsense` with the overview.
    var verbProblem: String? {
        guard let first = arguments.first, !first.hasPrefix("-") else { return nil }
        let isHelp = first == "help"
        var command: any ParsableCommand.Type = RouteSAE.self
        var path = "routesae"
        for word in isHelp ? arguments.dropFirst() : arguments[...] {
            // Words after a command without subcommands are its arguments.
            guard !word.hasPrefix("-"), isHelp || !command.configuration.subcommands.isEmpty else { return nil }
            guard let next = command.configuration.subcommands.first(where: { Verb.word(for: $0) == word }) else {
                return Self.unknown(verb: word, of: command, path)
            }
            command = next
            path += " " + word
        }
        return nil
    }

    private static func unknown(verb: String, of command: any ParsableCommand.Type, _ path: String) -> String {
        if verb.lowercased() == "version" { return "there is no verb 'version'; 'routesae --version' says it" }
        let names = command.configuration.subcommands.map { Verb.word(for: $0) }
        let shown = "'\(verb.prefix(40))'"
        guard !names.isEmpty else { return "'\(path)' has no verb \(shown); '\(path) --help' tells what it takes" }
        let meant = meant(verb.lowercased(), among: names, synonyms: verbSynonyms)
        return "there is no verb \(shown)"
            + (meant.map { "; did you mean '\(path) \($0)'?" } ?? "; the verbs are " + names.joined(separator: ", ")
                + ".")
            + " '\(path) --help' tells more"
    }

    /// The problem with the first unknown option; nil if there is none.
    var optionProblem: String? {
        guard let name = arguments.first, let verb = Verb.all.first(where: { $0.name == name }) else { return nil }
        let options = verb.options
        for argument in arguments.dropFirst().prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
            let name = String(argument.dropFirst(2).prefix { $0 != "=" })
            guard !name.isEmpty, !options.contains(name), !["help", "version", "help-hidden"].contains(name) else {
                continue
            }
            return "Unknown option '--\(name.prefix(40))'." + Self.remedy(name, options, of: verb.name)
        }
        return nil
    }

    private static func remedy(_ name: String, _ options: [String], of verb: String) -> String {
        if options.contains("format"), let format = formats[name.lowercased()] {
            return " Did you mean '--format \(format)'?"
        }
        if let meant = meant(name.lowercased(), among: options, synonyms: optionSynonyms) {
            return " Did you mean '--\(meant)'?"
        }

        let others = Verb.all.filter { !$0.name.contains(" ") && $0.options.contains(name) }
        return others.isEmpty ? "" : " It is an option of " + others.map { "'\($0.name)'" }.joined(separator: ", ")
    }

    /// The intended name: a synonym, one that begins with it, or one of nearly the same
    /// letters.
    private static func meant(_ word: String, among names: [String], synonyms: [[String]]) -> String? {
        for group in synonyms where group.contains(word) {
            if let name = group.first(where: names.contains) { return name }
        }
        if word.count >= 3,
            let name = names.filter({ $0.hasPrefix(word) || word.hasPrefix($0 + "-") }).min(by: {
                $0.count < $1.count
            })
        {
            return name
        }

        let near = names.map { (name: $0, distance: distance(word, $0)) }.min { $0.distance < $1.distance }
        guard let near, near.distance <= max(1, word.count / 3) else { return nil }
        return near.name
    }

    /// The edit distance: letters to insert, delete, replace or swap with a neighbour.
    private static func distance(_ one: String, _ other: String) -> Int {
        let (one, other) = (Array(one.utf8.prefix(40)), Array(other.utf8.prefix(40)))
        var rows = [Array(0...other.count)]
        for (row, letter) in one.enumerated() {
            var next = [row + 1]
            for (column, wanted) in other.enumerated() {
                var least = min(next[column], rows[row][column + 1]) + 1
                least = min(least, rows[row][column] + (letter == wanted ? 0 : 1))
                if row > 0, column > 0, letter == other[column - 1], one[row - 1] == wanted {
                    least = min(least, rows[row - 1][column - 1] + 1)
                }
                next.append(least)
            }
            rows.append(next)
        }
        return rows[one.count][other.count]
    }

    /// Common names of formats.
    private static let formats = [
        "json": "json", "jsonl": "jsonl", "ndjson": "jsonl", "csv": "csv", "tsv": "tsv", "markdown": "markdown",
        "md": "markdown", "table": "table",
    ]

    /// Synonyms of options; the first that a command has is suggested.
    private static let optionSynonyms = [
        ["layers", "layer"], ["prompt", "prompts", "fires-on"], ["prompt-file", "prompts-file"],
        ["tokens", "max-tokens", "index-tokens", "n-tokens", "num-tokens"],
        ["text", "texts", "corpus", "dataset", "input"], ["output", "out", "output-file"],
        ["dictionary", "dict", "dictionaries", "sae"], ["feature", "features"],
        ["model", "model-path", "model-dir", "model-name"], ["threads", "jobs", "num-threads", "workers"],
        ["limit", "top", "max", "count", "n"], ["sort", "sort-by", "order", "order-by"], ["force", "overwrite"],
        ["quiet", "silent"], ["latents", "width", "dict-size", "features"], ["k", "top-k", "topk"],
        ["sample", "samples"], ["learning-rate", "lr"], ["batch-tokens", "batch-size", "batch"],
        ["context", "context-length", "ctx", "window"], ["where", "filter"], ["resume", "continue"],
        ["endpoint", "base-url", "url"], ["key-variable", "api-key", "key"], ["llm", "judge", "judge-model"],
        ["format", "output-format"], ["contexts", "examples"], ["minimum-firings", "min-firings"],
    ]

    /// Synonyms of commands.
    private static let verbSynonyms = [
        ["features", "list", "ls"], ["feature", "show", "info", "page"], ["score", "explain", "interpret"],
        ["activations", "export", "cache"], ["sql", "query"], ["evaluate", "eval", "test"],
        ["steer", "generate", "intervene"], ["train", "fit"], ["verify", "check", "validate"],
        ["search", "find", "grep"], ["runs", "log", "history", "ledger"], ["merge", "combine"],
        ["pack", "compress", "shrink"], ["reproduce", "rerun", "repeat"], ["migrate", "upgrade"],
    ]
}
