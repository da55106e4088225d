/// Former names of options, still accepted but not listed in help.
enum FormerOptions {
    /// The arguments of this process, without the program's name, options renamed.
    static let arguments = renamed(Array(CommandLine.arguments.dropFirst()))

    /// Renames former options in arguments.
    static func renamed(_ arguments: [String]) -> [String] {
        guard let verb = arguments.first, let names = names[verb] else { return arguments }
        let options = arguments.prefix { $0 != "--" }
        return options.map { argument in
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let present = names[String(parts[0])] else { return argument }
            return ([present] + parts.dropFirst().map(String.init)).joined(separator: "=")
        } + arguments.dropFirst(options.count)
    }

    /// By command, former and present names.
    private static let names = [
        "index": ["--index-tokens": "--tokens"],
        "activations": ["--max-tokens": "--tokens"],
        "features": ["--layer": "--layers"],
    ]
}
