import FeatureCatalog
import Foundation
import Glibc
import Indexing
import LinearAlgebra
import TestSupport
import Testing
import Training
import WorkflowWorlds

/// Prompts read by the server.
@Suite struct PromptTests {
    private static let text = "In the beginning <b>God</b> created the heaven"

    /// A dictionary of the shipped model.
    static func catalog(in demo: DemoModel) throws -> String {
        let path = demo.directory.file("c.sqlite")
        let text = try demo.text()
        try MadeOnce.catalog("prompted by the viewer", at: path) { path in
            try train(
                [
                    TrainingSettings(
                        name: "d", model: DemoModel.path, text: [text], layers: [1, 2, 3], latents: 96, k: 6,
                        batchTokens: 64, steps: 6, context: 48, seed: 1)
                ], catalog: path)
        }
        return path
    }

    static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    @Test func aPromptShowsWhatFiringSearchFinds() async throws {
        let demo = try DemoModel()
        let path = try Self.catalog(in: demo)
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        var places: [TokenFirings] = []
        _ = try FiringSearch(
            text: Self.text, model: DemoModel.path, dictionary: nil, in: catalog, workers: Workers(threads: 2)
        ).run(eachToken: { places.append($0) })
        try catalog.close()
        let expected = places.flatMap { place in
            place.firings.prefix(8).enumerated().map { rank, firing in
                "\(place.position) \(place.token) \(place.layer ?? -1) \(rank) \(firing.featureIndex) "
                    + "\(firing.activation)"
            }
        }
        try await ServedCatalog.serve(path, model: DemoModel.path) { port in
            let own = "Origin: http://127.0.0.1:\(port)"
            let page = try await HTTPClient.ask("/prompt", port: port).text
            let token = try #require(page.firstMatch(of: /name="token" value="([^"]+)"/)?.1)
            let form = "token=\(token)&text=\(Self.encoded(Self.text))"
            let reply = try await HTTPClient.ask(
                "/prompt.json", port: port, method: "POST", headers: [own], body: form)
            #expect(reply.status == 200, "\(reply.text)")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any])
            let rows = try #require(object["rows"] as? [[String: Any]]).map { row in
                let activation = Float(row["activation"] as? Double ?? .nan)
                return "\(row["position"] ?? "") \(row["token"] ?? "") \(row["layer"] ?? -1) \(row["rank"] ?? "") "
                    + "\(row["feature_index"] ?? "") \(activation)"
            }
            #expect(rows == expected)
            let shown = try await HTTPClient.ask("/prompt", port: port, method: "POST", headers: [own], body: form)
            #expect(shown.status == 200 && shown.text.contains("class=\"strip\""))
            #expect(!shown.text.contains("<b>God") && shown.text.contains("&lt;b&gt;God&lt;/b&gt;"))

            // From another page, with another token, or too long.
            for (headers, body, status) in [
                ([], form, 403), (["Origin: http://evil.example"], form, 403), (["Origin: null"], form, 403),
                ([own, "Sec-Fetch-Site: cross-site"], form, 403), ([own], "token=x&text=a", 403),
                ([own], "token=\(token)&text=" + String(repeating: "x", count: 70_000), 413),
            ] {
                let reply = try await HTTPClient.ask(
                    "/prompt", port: port, method: "POST", headers: headers, body: body)
                #expect(reply.status == status, "\(headers) \(reply.status)")
            }
            let many = Array(repeating: "a1", count: 700).joined(separator: "+")
            for (text, status, words) in [
                ("", 400, "the prompt is empty"),
                (String(repeating: "x", count: 5000), 413, "more than 4000 characters"),
                (many, 413, "more than 512 tokens"),
            ] {
                for path in ["/prompt", "/prompt.json"] {
                    let reply = try await HTTPClient.ask(
                        path, port: port, method: "POST", headers: [own], body: "token=\(token)&text=\(text)")
                    #expect(reply.status == status && reply.text.contains(words), "\(path) \(words): \(reply.status)")
                    #expect(path == "/prompt" || reply.text.hasPrefix("{\"error\":"))
                }
            }
        }
    }

    /// Weights are those of the file as it is, also where another takes its place with a dictionary of the same number.
    @Test func aFileInThePlaceOfAnotherIsReadAgain() async throws {
        let demo = try DemoModel()
        let path = try Self.catalog(in: demo)
        let other = demo.directory.file("other.sqlite")
        try train(
            [
                TrainingSettings(
                    name: "d", model: DemoModel.path, text: [try demo.text()], layers: [1, 2, 3], latents: 96, k: 6,
                    batchTokens: 64, steps: 6, context: 48, seed: 2)
            ], catalog: other)
        let expected = try [path, other].map { path in
            let catalog = try Catalog.open(at: path, mode: .readOnly)
            defer { _ = try? catalog.close() }
            let found = try FiringSearch(
                text: Self.text, model: DemoModel.path, dictionary: nil, in: catalog, workers: Workers(threads: 2)
            ).run()
            return Set(found.map(\.featureIndex))
        }
        #expect(expected[0] != expected[1])
        try await ServedCatalog.serve(path, model: DemoModel.path) { port in
            let page = try await HTTPClient.ask("/prompt", port: port).text
            let token = try #require(page.firstMatch(of: /name="token" value="([^"]+)"/)?.1)
            func features() async throws -> Set<Int> {
                let reply = try await HTTPClient.ask(
                    "/prompt.json", port: port, method: "POST", headers: ["Origin: http://127.0.0.1:\(port)"],
                    body: "token=\(token)&text=\(Self.encoded(Self.text))")
                let object = try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any])
                return Set(try #require(object["rows"] as? [[String: Any]]).compactMap { $0["feature_index"] as? Int })
            }
            #expect(try await features() == expected[0])
            #expect(rename(other, path) == 0)
            #expect(try await features() == expected[1])
        }
    }

    @Test func withoutAModelThePageSaysHow() async throws {
        let world = try HostileWorld()
        try await ServedCatalog.serve(world.path) { port in
            let posted = try await HTTPClient.ask("/prompt", port: port, method: "POST", body: "text=a")
            #expect(posted.status == 403)
            let page = try await HTTPClient.ask("/prompt", port: port)
            #expect(
                page.status == 200 && page.text.contains("routesae serve CATALOG model DIR")
                    && !page.text.contains("<textarea"))
        }
    }
}
