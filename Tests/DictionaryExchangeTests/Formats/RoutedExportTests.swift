import DictionaryExchange
import Foundation
import SparseCoding
import Testing
import Vocabulary

/// Folders that hold a routed dictionary whole and, with the same weights, for single layers.
@Suite struct RoutedExportTests {
    private func export(in folder: String = "", of name: String = "demo") throws -> ForeignFolder {
        let made = try ForeignFolder()
        try write(to: made, in: folder, of: name)
        return made
    }

    private func write(to made: ForeignFolder, in folder: String, of name: String) throws {
        try made.writeRouted(
            in: folder + "routed", changing: ["metadata": ForeignFolder.routedMetadata(name: name)])
        for layer in [2, 3, 5] { try made.writeLayer(layer, in: folder, of: name) }
        try made.write(["router": [3, 4]], as: folder + "router.safetensors")
    }

    @Test func theFolderIsTheRoutedDictionaryAlone() throws {
        let folder = try export(in: "sae/")
        let found = try folder.find(in: "sae")
        #expect(found.map(\.configuration.architecture) == [.route])
        #expect(found[0].suggestedName == "sae-routed")
        #expect(found[0].remarks.count == 1)
        #expect(found[0].remarks[0].contains("3 folders of single layers, which hold the same weights"))
        #expect(try folder.find(in: "sae/routed")[0].remarks == [])
    }

    @Test func aLayersFolderIsThatLayerAlone() throws {
        let folder = try export()
        for layer in [2, 3, 5] {
            let found = try folder.find(in: "layer_\(layer)")
            #expect(found.map(\.configuration.layers) == [[layer]])
            #expect(found[0].configuration.architecture == .topk)
        }
    }

    @Test func layersOfTheRequestChoose() throws {
        let folder = try export()
        #expect(try folder.find(ForeignRequest(layers: [2, 3, 5])).map(\.configuration.architecture) == [.route])
        #expect(try folder.find(ForeignRequest(layers: [5])).map(\.configuration.layers) == [[5]])
        #expect(try folder.find(ForeignRequest(layers: [5, 2])).map(\.configuration.layers) == [[2], [5]])
        let failure = folder.failure(ForeignRequest(layers: [4]))
        #expect(failure.text.contains("no dictionary of layer 4, which `layer` asks for; it has 2, 3, 5"))
    }

    @Test func severalExportsAreSeveralDictionaries() throws {
        let folder = try export(in: "a/", of: "a")
        try write(to: folder, in: "b/", of: "b")
        let found = try folder.find()
        #expect(found.map(\.configuration.architecture) == [.route, .route])
        #expect(found[0].remarks.count == 2)
        #expect(Set(found.map(\.suggestedName)).count == 2)
        #expect(try folder.find(ForeignRequest(layers: [3])).map(\.configuration.layers) == [[3], [3]])
        for name in ["a", "b"] { for layer in [2, 3, 5] { try folder.remove("\(name)/layer_\(layer)") } }
        #expect(try folder.find(ForeignRequest(layers: [2, 3, 5])).count == 2)
        let failure = folder.failure(ForeignRequest(layers: [3]))
        #expect(failure.text.contains("no dictionary of layer 3, which `layer` asks for; it has 2 with 3 with 5"))
    }

    @Test func foldersOfOtherDictionariesAreNotLeftOut() throws {
        let folder = try export()
        try folder.writeLayer(3, in: "", of: "another")
        #expect(try folder.find().map(\.configuration.layers) == [[2, 3, 5], [3]])
        try folder.writeLayer(3, in: "")
        try folder.writeSAELens(in: "layer_5", hook: "\"blocks.5.hook_resid_post\"")
        #expect(try folder.find().map(\.configuration.layers) == [[2, 3, 5], [5]])
        try folder.writeLayer(7, in: "")
        #expect(try folder.find().count == 3)
    }

    @Test func aDamagedWholeIsNamed() throws {
        let folder = try export()
        try folder.writeRouted(changing: ["layers": "[5, 2]"])
        #expect(folder.failure().kind == .malformed && folder.failure().text.hasPrefix("routed/cfg.json"))
        try folder.write("{", as: "routed/cfg.json")
        #expect(folder.failure().text.hasPrefix("routed/cfg.json"))
    }
}
