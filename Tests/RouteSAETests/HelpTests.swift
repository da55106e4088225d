import Foundation
import TestSupport
import Testing

/// Every command of the program, as its own help describes it.
@Suite struct HelpTests {
    /// One command of `routesae --experimental-dump-help`.
    struct Command: Decodable {
        var commandName: String
        var abstract: String?
        var discussion: String?
        var arguments: [Argument]?
        var subcommands: [Command]?
    }

    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
        }

        var kind: String
        var shouldDisplay: Bool
        var names: [Name]?
        var valueName: String?
        var abstract: String?

        /// `--layers`, or what stands for a positional argument.
        var label: String { (names ?? []).map { "--" + $0.name }.first ?? valueName ?? kind }
    }

    static let root: Command = {
        struct Dump: Decodable { var command: Command }
        do {
            let outcome = try Program.run(["--experimental-dump-help"], in: try TemporaryDirectory())
            return try JSONDecoder().decode(Dump.self, from: Data(outcome.output.utf8)).command
        } catch { preconditionFailure("the program's help cannot be read: \(error)") }
    }()

    /// Every command under a name such as `benchmark decode`, groups of commands included.
    static let commands: [(name: String, command: Command)] = {
        func walk(_ command: Command, _ words: [String]) -> [(String, Command)] {
            (command.subcommands ?? []).filter { $0.commandName != "help" }.flatMap { child in
                [((words + [child.commandName]).joined(separator: " "), child)]
                    + walk(child, words + [child.commandName])
            }
        }
        return walk(root, [])
    }()

    @Test func everyVerbIsThere() {
        #expect(Self.commands.count >= 34)
        #expect(Set(Self.commands.map(\.name)).isSuperset(of: ["train", "sql", "reproduce", "benchmark products"]))
    }

    @Test(arguments: commands.map(\.name)) func aCommandHasAnImperativeAbstractAndAnExample(name: String) throws {
        let command = try #require(Self.commands.first { $0.name == name }).command
        let abstract = try #require(command.abstract)
        #expect(abstract.hasSuffix("."))
        let verb = try #require(abstract.split(separator: " ").first)
        #expect(!verb.hasSuffix("s"), "the abstract of \(name) begins with an imperative, not with \(verb)")
        guard command.subcommands == nil else { return }
        let discussion = try #require(command.discussion)
        #expect(discussion.contains("Example") && discussion.contains("routesae \(name)"))
    }

    @Test(arguments: commands.map(\.name)) func everyOptionIsDescribed(name: String) throws {
        let command = try #require(Self.commands.first { $0.name == name }).command
        for argument in (command.arguments ?? []) where argument.shouldDisplay && argument.label != "--help" {
            let abstract = argument.abstract ?? ""
            #expect(abstract.count >= 8, "\(name) \(argument.label) says only '\(abstract)'")
            #expect(abstract.hasSuffix(".") || abstract.hasSuffix(")") || argument.label == "--version")
        }
    }

    /// The options of examples are those of the verb: nobody copies a line that is refused.
    @Test(arguments: commands.filter { $0.command.subcommands == nil }.map(\.name))
    func theOptionsOfExamplesExist(name: String) throws {
        let command = try #require(Self.commands.first { $0.name == name }).command
        let options = Set((command.arguments ?? []).flatMap { $0.names ?? [] }.map { "--" + $0.name })
        let text = (command.discussion ?? "").replacing("\\\n", with: " ")
        var found = 0
        for line in text.split(separator: "\n") {
            for call in line.split(whereSeparator: { $0 == ";" || $0 == "|" }) where call.contains("routesae \(name) ")
            {
                found += 1
                // What stands in quotes is the user's own text.
                let words = call.replacing(/'[^']*'|"[^"]*"/, with: "x").split(separator: " ")
                for word in words where word.hasPrefix("--") {
                    let option = String(word.prefix { $0 != "=" })
                    #expect(options.contains(option), "\(name) has no \(option)")
                }
            }
        }
        #expect(found > 0)
    }
}
