import Benchmarks
import FeatureCatalog
import Foundation
import TestSupport
import Testing

/// The map of a dictionary over HTTP.
@Suite struct MapPageTests {
    private let world: HostileWorld

    init() throws {
        world = try HostileWorld()
    }

    private static func object(_ path: String, _ port: UInt16) async throws -> [String: Any] {
        let reply = try await HTTPClient.ask(path, port: port)
        #expect(reply.status == 200, "\(path): \(reply.text.prefix(300))")
        return try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any])
    }

    @Test func theColumnsHoldEveryFeature() async throws {
        try await ServedCatalog.serve(world.path) { port in
            let map = try await Self.object("/dictionaries/1/map.json", port)
            #expect(map["feature_index"] as? [Int] == Array(0..<HostileWorld.latents))
            let x = try #require(map["x"] as? [Int])
            let y = try #require(map["y"] as? [Int])
            #expect((x + y).allSatisfy { (0...10_000).contains($0) })
            #expect(Set(zip(x, y).map { "\($0.0) \($0.1)" }).count == HostileWorld.latents)
            // Those that never fired have no layer.
            #expect(map["layers"] as? [Int] == [0, 1])
            #expect(map["styles"] as? [String] == ["y0", "y9"])
            let layer = try #require(map["peak_layer"] as? [Any])
            #expect(layer.indices.allSatisfy { layer[$0] is NSNull == ($0 % 10 == 9) })
            let label = try #require(map["label"] as? [String])
            #expect(label[0].hasPrefix("kings ") && !label[0].contains("\u{202E}"))
            for (name, column) in map {
                guard let column = column as? [Any], !["layers", "styles"].contains(name) else { continue }
                #expect(column.count == HostileWorld.latents, "\(name)")
            }
        }
    }

    @Test func thePageIsADrawingWithALinkToEachStrongFeature() async throws {
        try await ServedCatalog.serve(world.path) { port in
            let text = try await HTTPClient.ask("/dictionaries/1/map", port: port).text
            let drawing = try #require(text.firstMatch(of: /<g class="points" transform.*?<\/g>/))
            #expect(drawing.output.matches(of: /M\d+ \d+h0/).count == HostileWorld.latents)
            #expect(text.contains("href=\"/dictionaries/1/features/28\""))
            #expect(text.contains("data-json=\"/dictionaries/1/map.json\""))
            let script = try #require(text.firstMatch(of: /src="(\/map\.js\?v=[0-9a-f]+)"/))
            #expect(try await HTTPClient.ask(String(script.1), port: port).status == 200)
            #expect(try await HTTPClient.ask("/dictionaries/9/map", port: port).status == 404)
            for (page, link) in [("/dictionaries/1", "map\""), ("/dictionaries/1/features/0", "map#f0\"")] {
                let text = try await HTTPClient.ask(page, port: port).text
                #expect(text.contains("href=\"/dictionaries/1/\(link)"), "\(page)")
            }
        }
    }

    /// A page holds a share of the points, so that it stays small; the data have all of them.
    @Test func thePageOfManyFeaturesIsSmall() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("many.sqlite")
        let count = 12_000
        _ = try CatalogBenchmark(features: count, contexts: 0, tokens: 20_000, dModel: 4).run(at: path) { _, _ in }
        try await ServedCatalog.serve(path) { port in
            let page = try await HTTPClient.ask("/dictionaries/1/map", port: port)
            #expect(page.status == 200 && page.body.count < 100_000, "\(page.body.count) bytes")
            let drawing = try #require(page.text.firstMatch(of: /<g class="points" transform.*?<\/g>/))
            let points = drawing.output.matches(of: /M\d+ \d+h0/).map { String($0.output) }
            #expect(points.count == 5000)
            let map = try await Self.object("/dictionaries/1/map.json", port)
            let (x, y) = (try #require(map["x"] as? [Int]), try #require(map["y"] as? [Int]))
            #expect(x.count == count)
            #expect(Set(points).isSubset(of: zip(x, y).map { "M\($0.0) \($0.1)h0" }))
            // Each layer keeps its share, to a tenth.
            let layers = try #require(map["peak_layer"] as? [Int])
            let styles = try #require(map["styles"] as? [String])
            for (layer, style) in zip(try #require(map["layers"] as? [Int]), styles) {
                let paths = drawing.output.matches(of: try Regex("<path class=\"\(style)\"[^>]*>"))
                let drawn = paths.reduce(0) { $0 + ($1.output[0].substring?.matches(of: /h0/).count ?? 0) }
                let share = Double(layers.count { $0 == layer }) / Double(count)
                #expect(abs(Double(drawn) / 5000 - share) < 0.1 * share, "layer \(layer): \(drawn) of \(share)")
            }
        }
    }

    @Test func aFeaturesPageShowsTheChangesOfAllLogitsOrSaysWhatAddsThem() async throws {
        let path = world.path
        let world = world
        try await ServedCatalog.serve(path) { port in
            let before = try await HTTPClient.ask("/dictionaries/1/features/0", port: port).text
            #expect(before.contains("routesae index CATALOG overwriting"))
            #expect(!before.contains("Changes of all tokens"))
            try world.complete()
            let after = try await HTTPClient.ask("/dictionaries/1/features/0", port: port).text
            #expect(after.contains("Changes of all tokens") && !after.contains("overwriting"))
            // Bins of an eighth from −40 to 49, two to a bar: none holds both signs.
            let bars = after.matches(of: /<rect class="(rise|fall)"[^>]*><title>(−?[0-9.]+) … (−?[0-9.]+):/)
            #expect(bars.count == 45)
            for bar in bars {
                let (low, high) = (bar.2.replacing("−", with: "-"), bar.3.replacing("−", with: "-"))
                #expect((bar.1 == "fall") == ((Double(low) ?? 0) < 0))
                #expect((Double(low) ?? 0) * (Double(high) ?? 0) >= 0)
            }
        }
    }

    @Test func aChangedFileHasAnotherMap() async throws {
        let path = world.path
        try await ServedCatalog.serve(path) { port in
            let before = try await Self.object("/dictionaries/1/map.json", port)
            let catalog = try Catalog.open(at: path, mode: .readWrite)
            _ = try catalog.write(
                explanations: [
                    ExplanationRecord(
                        runID: 2, dictionaryID: 1, featureIndex: 0, corpusID: 1, method: "another", text: "queens",
                        detailJSON: "{}")
                ])
            try catalog.close()
            let after = try await Self.object("/dictionaries/1/map.json", port)
            #expect((before["label"] as? [String])?[0].hasPrefix("kings") == true)
            #expect((after["label"] as? [String])?[0] == "queens")
            #expect(before["x"] as? [Int] == after["x"] as? [Int])
        }
    }
}
