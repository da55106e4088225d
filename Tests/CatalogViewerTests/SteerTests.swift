import ActivationPipeline
import CatalogViewer
import FeatureCatalog
import Foundation
import JSON
import LinearAlgebra
import SparseCoding
import Steering
import TestSupport
import Testing
import Vocabulary
import WorkflowWorlds

/// Texts continued by the server with a feature steered.
@Suite struct SteerTests {
    private static let text = "And the <b>king</b> said unto him,"

    /// What a form sends, as its fields.
    private typealias Fields = [String: String]

    private static func body(_ fields: Fields) -> String {
        fields.map { $0.key + "=" + PromptTests.encoded($0.value) }.sorted().joined(separator: "&")
    }

    private static func post(_ fields: Fields, to path: String = "/steer.json", port: UInt16) async throws
        -> HTTPClient.Reply
    {
        try await HTTPClient.ask(
            path, port: port, method: "POST", headers: ["Origin: http://127.0.0.1:\(port)"], body: body(fields))
    }

    /// Serves the catalog with the model; `body` is given the form's token.
    private static func serve(
        change: @escaping (inout ServingLimits) -> Void = { _ in },
        _ body: @Sendable @escaping (_ path: String, _ token: String, _ port: UInt16) async throws -> Void
    ) async throws {
        let demo = try DemoModel()
        let path = try PromptTests.catalog(in: demo)
        try await ServedCatalog.serve(path, model: DemoModel.path, change: { change(&$0.limits) }) { port in
            let page = try await HTTPClient.ask("/prompt", port: port).text
            try await body(path, try #require(page.firstMatch(of: /name="token" value="([^"]+)"/)).1.description, port)
        }
        withExtendedLifetime(demo) {}
    }

    private static func object(_ reply: HTTPClient.Reply) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any])
    }

    @Test("The page gives the texts and the divergence of `routesae steer`")
    func texts() async throws {
        try await Self.serve { path, token, port in
            let before = try Data(contentsOf: URL(filePath: path))
            for (operation, strength, temperature, seed) in [
                (EditOperation.set, 9.0, Double?.none, UInt64(0)), (.add, 4, 0.8, 7), (.multiply, 0, nil, 0),
                (.add, -0.5, nil, 3),
            ] {
                let catalog = try Catalog.open(at: path, mode: .readOnly)
                let expected = try SteeringRun(
                    settings: SteeringSettings(
                        model: DemoModel.path,
                        edits: [LatentEdit(feature: 7, operation: operation, strength: strength)],
                        prompts: [Self.text], tokens: 12, temperature: temperature, seed: seed),
                    workers: Workers(threads: 2)
                ).run(on: catalog, saving: false).outcomes[0]
                try catalog.close()
                var fields = [
                    "token": token, "text": Self.text, "feature": "7", "operation": operation.rawValue,
                    "strength": "\(strength)", "tokens": "12", "seed": "\(seed)",
                ]
                if let temperature { fields["temperature"] = "\(temperature)" }
                let reply = try await Self.post(fields, port: port)
                #expect(reply.status == 200, "\(reply.text)")
                let data = try Self.object(reply)
                #expect(data["unsteered"] as? String == expected.unsteeredText)
                #expect(data["steered"] as? String == expected.text)
                // Foundation's parser may miss the last bit.
                let kl = try JSONParser.parse(Data(reply.body))["kl"]?.double
                #expect(kl == expected.divergence)
                #expect(data["n_tokens"] as? Int == expected.tokens.count)
                // A feature that does not fire has nothing to take away.
                #expect(operation == .multiply || strength < 0 || expected.divergence > 1e-4)

                let page = try await Self.post(fields, to: "/steer", port: port)
                #expect(page.status == 200)
                #expect(page.text.matches(of: /<p class="text" dir="auto">/).count == 2)
                #expect(!page.text.contains("<b>king") && page.text.contains("&lt;b&gt;king&lt;/b&gt;"))
                #expect(page.text.contains("class=\"strip\""))
                // In the test names of settings are spelled as they are.
                let command = try #require(data["command"] as? String)
                let draws = temperature.map { " temperature \($0) seed \(seed)" } ?? (seed == 0 ? "" : " seed \(seed)")
                let edit = "feature 7 \(operation.rawValue) \(strength)"
                let wanted =
                    "routesae steer CATALOG model DIR dictionary 1 \(edit) prompt '\(Self.text)' tokens 12\(draws) noSave"
                #expect(command == wanted)
            }
            // Nothing is written.
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
        }
    }

    @Test("Lines of a form's text end as those of a text do") func lineEnds() async throws {
        try await Self.serve { _, token, port in
            var fields = ["token": token, "text": "In the\nbeginning", "feature": "3", "strength": "8", "tokens": "6"]
            let one = try Self.object(try await Self.post(fields, port: port))
            fields["text"] = "In the\r\nbeginning"
            let other = try Self.object(try await Self.post(fields, port: port))
            #expect(one["steered"] as? String == other["steered"] as? String)
            #expect(other["text"] as? String == "In the\nbeginning")
            // A name of a setting in the prompt is no setting.
            fields["text"] = "-a `tokens` 'b'"
            let command = try Self.object(try await Self.post(fields, port: port))["command"] as? String
            #expect(command?.contains(#"prompt='-a `tokens` '\''b'\''' tokens 6"#) == true, "\(command ?? "")")
        }
    }

    @Test func whatCannotBeIsRefusedInOneLine() async throws {
        try await Self.serve { _, token, port in
            let right: Fields = [
                "token": token, "text": Self.text, "feature": "7", "operation": "set", "strength": "8", "tokens": "2",
            ]
            let many = Array(repeating: "a1", count: 700).joined(separator: " ")
            for (name, value, status, words) in [
                ("feature", "", 400, "name the feature"), ("feature", "96", 400, "d has 0 … 95"),
                ("feature", "-1", 400, "d has 0 … 95"), ("feature", "<b>", 400, "no feature"),
                ("operation", "divide", 400, "set, add, multiply"), ("strength", "", 400, "it takes a number"),
                ("strength", "much", 400, "it takes a number"), ("strength", "nan", 400, "it takes a number"),
                ("strength", "1e300", 400, "finite 32-bit numbers"), ("strength", "-1", 400, "never negative"),
                ("tokens", "0", 400, "1 … 100"), ("tokens", "101", 400, "1 … 100"),
                ("tokens", "99999999999999999999", 400, "1 … 100"), ("temperature", "0", 400, "above 0"),
                ("temperature", "inf", 400, "above 0"), ("seed", "-1", 400, "whole number"), ("text", "", 400, "empty"),
                ("text", many, 413, "more than 512 tokens"),
                ("text", String(repeating: "x", count: 5000), 413, "more than 4000 characters"),
                ("dictionary", "9", 404, "9"),
            ] {
                var fields = right
                fields[name] = value
                for path in ["/steer", "/steer.json"] {
                    let reply = try await Self.post(fields, to: path, port: port)
                    #expect(reply.status == status, "\(path) \(name) \(value.prefix(20)): \(reply.status)")
                    #expect(
                        reply.text.contains(words), "\(path) \(name) \(value.prefix(20)): \(reply.text.prefix(300))")
                    #expect(
                        path == "/steer" || reply.text.hasPrefix("{\"error\":") && !reply.text.dropLast().contains("\n")
                    )
                }
            }
            // What was filled in is still there.
            var fields = right
            fields["strength"] = "\"><b>"
            #expect(
                try await Self.post(fields, to: "/steer", port: port).text.contains("value=\"&quot;&gt;&lt;b&gt;\""))
            for (fields, origin) in [
                (right.merging(["token": "x"]) { $1 }, "http://127.0.0.1:\(port)"), (right, "http://evil.example"),
                (right, "null"),
            ] {
                let reply = try await HTTPClient.ask(
                    "/steer.json", port: port, method: "POST", headers: ["Origin: \(origin)"],
                    body: Self.body(fields))
                #expect(reply.status == 403)
            }
            #expect(try await HTTPClient.ask("/steer.json?feature=7", port: port).status == 405)
            #expect(try await HTTPClient.ask("/steer", port: port).status == 200)
            #expect(try await Self.post(right, port: port).status == 200)
        }
    }

    @Test func steeringEndsInTime() async throws {
        try await Self.serve(change: { $0.steeringSeconds = 0 }) { _, token, port in
            let reply = try await Self.post(
                ["token": token, "text": Self.text, "feature": "7", "strength": "8"], port: port)
            #expect(reply.status == 503 && reply.text.contains("ask for fewer tokens"), "\(reply.text)")
        }
    }

    @Test func aFeatureThatIsPickedIsFilledIn() async throws {
        try await Self.serve { _, token, port in
            let page = try await Self.post(
                ["token": token, "text": Self.text, "feature": "3", "pick": "12"], to: "/prompt", port: port
            ).text
            #expect(page.contains("name=\"feature\" form=\"reading\" inputmode=\"numeric\" size=\"7\" value=\"12\""))
            let link = try await HTTPClient.ask("/prompt?dictionary=1&feature=5", port: port).text
            #expect(link.contains("size=\"7\" value=\"5\""))
        }
    }

    @Test func withoutAModelNothingIsSteered() async throws {
        let world = try HostileWorld()
        try await ServedCatalog.serve(world.path) { port in
            #expect(try await Self.post(["token": "x", "text": "a"], port: port).status == 403)
            #expect(try await !HTTPClient.ask("/steer", port: port).text.contains("<textarea"))
            let page = try await HTTPClient.ask("/dictionaries/1/features/0", port: port).text
            #expect(!page.contains("steer with it"))
        }
    }
}
