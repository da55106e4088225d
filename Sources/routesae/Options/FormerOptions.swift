/// Options that had other names in earlier versions. They go on working under these, though no help lists them.
enum FormerOptions {
    /// The arguments of this process, the program's name left off, each option under its present name.
    static let arguments = renamed(Array(CommandLine.arguments.dropFirst()))

    /// Arguments with every option under its present name.
    static func renamed(_ arguments: [String]) -> [String] {
        guard let verb = arguments.first, let names = names[verb] else { return arguments }
        let options = arguments.prefix { $0 != "--" }
        return options.map { argument in
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let present = names[String(parts[0])] else { return argument }
            return ([present] + parts.dropFirst().map(String.init)).joined(separator: "=")
        } + arguments.dropFirst(options.count)
    }

    /// By verb, former names and present ones.
    private static let names = [
        "index": ["--index-tokens": "--tokens"],
        "activations": ["--max-tokens": "--tokens"],
        "features": ["--layer": "--layers"],
    ]
}
