import DictionaryExchange
import Foundation
import SparseCoding
import Testing
import Vocabulary

/// What is found at a path, and what is said where nothing is.
@Suite struct ForeignDictionariesTests {
    @Test func nothingAndNowhereAreToldApart() throws {
        let folder = try ForeignFolder()
        #expect(folder.failure(in: "nowhere").kind == .missing)
        let empty = folder.failure()
        #expect(empty.kind == .unrecognised)
        for format in ForeignFormat.allCases { #expect(empty.text.contains(format.rawValue)) }
        #expect(!empty.text.contains("\n"))
    }

    @Test func anotherFormatThanAskedForIsNamed() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens()
        let failure = folder.failure(ForeignRequest(format: .sparsify))
        #expect(failure.kind == .contradiction)
        #expect(
            failure.text
                == ": `from` sparsify looks for cfg.json with sae.safetensors; found saelens (cfg.json with "
                + "sae_weights.safetensors)")
        #expect(try folder.one(ForeignRequest(format: .saelens)).format == .saelens)
        try folder.remove("sae_weights.safetensors")
        #expect(folder.failure(ForeignRequest(format: .sparsify)).kind == .contradiction)
    }

    @Test func severalFormatsNeedAChoice() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens(in: "a")
        try folder.writeSparsify(in: "b/layers.1")
        let failure = folder.failure()
        #expect(failure.kind == .unrecognised && failure.text.contains("saelens") && failure.text.contains("sparsify"))
        #expect(failure.text.hasSuffix("say which with `from`"))
        #expect(try folder.one(ForeignRequest(format: .sparsify)).configuration.layers == [1])
    }

    @Test func severalFoldersAreAllFoundAndNamedApart() throws {
        let folder = try ForeignFolder()
        for layer in [11, 2] {
            try folder.writeSAELens(in: "release/blocks.\(layer)", hook: "\"blocks.\(layer).hook_resid_post\"")
        }
        try folder.write("{}", as: "release/.git/cfg.json")
        let found = try folder.find(in: "release")
        #expect(found.map(\.configuration.layers) == [[2], [11]])
        #expect(found.map(\.suggestedName) == ["release-blocks.2", "release-blocks.11"])
    }

    @Test func filesStandForTheirFolder() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens(in: "one two")
        try folder.writeSparsify(in: "run/layers.1")
        for file in ["cfg.json", "sae_weights.safetensors"] {
            #expect(try folder.find(in: "one two/" + file)[0].suggestedName == "one-two")
        }
        #expect(try folder.find(in: "run/layers.1/sae.safetensors")[0].suggestedName == "run-layers.1")
        #expect(try folder.find(in: "run/layers.1/cfg.json")[0].format == .sparsify)
    }

    @Test func severalWithoutALayerAreNotGuessed() throws {
        let folder = try ForeignFolder()
        for name in ["a", "b"] { try folder.writeSAELens(in: name, hook: "null") }
        let failure = folder.failure(ForeignRequest(layers: [3]))
        #expect(failure.kind == .notSaid && failure.text.contains("import it alone, with `layer`"))
    }

    @Test func aDamagedOneAmongSeveralStopsTheSearch() throws {
        let folder = try ForeignFolder()
        for name in ["a", "b"] { try folder.writeSAELens(in: name) }
        try folder.write("{", as: "b/cfg.json")
        #expect(folder.failure().kind == .malformed)
    }

    @Test func foldersBelowTheSixthAreNotSearched() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens(in: "1/2/3/4/5/6")
        #expect(try folder.find().count == 1)
        let deep = try ForeignFolder()
        try deep.writeSAELens(in: "1/2/3/4/5/6/7")
        #expect(deep.failure().kind == .unrecognised)
    }

    @Test func linksThatLeadUpwardsFindNothingTwice() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens(in: "z")
        for name in ["a", "b"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/" + name, withDestinationPath: folder.path)
        }
        #expect(try folder.find().count == 1)
    }

    @Test func damagedWeightFilesAreNamed() throws {
        let folder = try ForeignFolder()
        try folder.writeSAELens()
        try folder.write("not weights", as: "sae_weights.safetensors")
        let failure = folder.failure()
        #expect(failure.kind == nil && failure.text.hasPrefix("sae_weights.safetensors: "), "\(failure.text)")
    }
}
