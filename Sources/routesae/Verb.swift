import ArgumentParser

/// A verb of the command line, such as `train` or `benchmark decode`.
struct Verb {
    /// Its words, without the program's name.
    let name: String
    let command: any ParsableCommand.Type

    /// The long names of its options, as its help lists them, without hyphens before them.
    var options: [String] {
        RouteSAE.helpMessage(for: command, columns: 200).split(separator: "\n").flatMap { line in
            line.prefixMatch(of: /\s\s(?:-\w, )?(--[a-z0-9\/-]+)/).map {
                $0.1.split(separator: "/").map { String($0.drop { $0 == "-" }) }
            } ?? []
        }
    }

    /// All verbs that do something, in the order of the overview.
    static let all = verbs(under: RouteSAE.self, after: [])

    private static func verbs(under command: any ParsableCommand.Type, after words: [String]) -> [Verb] {
        command.configuration.subcommands.flatMap { next in
            let words = words + [word(for: next)]
            let own = next.configuration.subcommands
            return own.isEmpty
                ? [Verb(name: words.joined(separator: " "), command: next)] : verbs(under: next, after: words)
        }
    }

    /// The command that arguments, without the program's name, ask for.
    ///
    /// Its verb alone parses them, since the parser prepares those of all commands on the way to a verb. What the verb does
    /// not take, the whole program says, with its name and help.
    ///
    /// - Throws: what the argument parser throws.
    static func command(_ arguments: [String]) throws -> any ParsableCommand {
        var (type, rest): (any ParsableCommand.Type, _) = (RouteSAE.self, arguments[...])
        while let next = type.configuration.subcommands.first(where: { word(for: $0) == rest.first }) {
            (type, rest) = (next, rest.dropFirst())
        }
        // Asked for help, the parser gives another command.
        if rest.count < arguments.count, type.configuration.subcommands.isEmpty,
            let command = try? type.parseAsRoot(Array(rest)), Swift.type(of: command) == type
        {
            return command
        }
        return try RouteSAE.parseAsRoot(arguments)
    }

    /// The last word of a verb.
    static func word(for command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? "\(command)".lowercased()
    }
}

extension CommandConfiguration {
    /// The configuration of a verb.
    ///
    /// A command that names the one above it is not asked for completion scripts, for which the parser would need as long as
    /// for its own arguments; the whole program still is.
    static func verb(_ name: String, abstract: String, discussion: String = "") -> CommandConfiguration {
        CommandConfiguration(
            commandName: name, _superCommandName: "routesae", abstract: abstract, discussion: discussion)
    }
}
