import Foundation
import Glibc
import JSON
import Safetensors
import SparseCoding
import Vocabulary

/// The files that are alike in all formats.
struct ExportFolder {
    /// The folder that is written into.
    let path: String

    /// Makes the folder, unless it is there.
    ///
    /// - Throws: `SafetensorsError.cannotWrite`.
    init(_ path: String) throws(SafetensorsError) {
        self.path = path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .cannotWrite(path: path, reason: error.systemReason)
        }
    }

    /// A folder in it.
    ///
    /// - Throws: as the initialiser.
    func folder(_ name: String) throws(SafetensorsError) -> ExportFolder { try ExportFolder(file(name)) }

    /// The path of an entry.
    func file(_ name: String) -> String { path + "/" + name }

    /// Writes a new text file.
    ///
    /// - Throws: `SafetensorsError.cannotWrite`, also where it exists.
    func write(_ text: String, to name: String) throws(SafetensorsError) {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)), options: .withoutOverwriting)
        } catch {
            throw .cannotWrite(path: file(name), reason: error.systemReason)
        }
    }

    /// Writes a JSON file, members in the order given.
    ///
    /// - Throws: as `write(_:to:)`.
    func write(_ object: JSONObject, to name: String) throws(SafetensorsError) {
        var writer = JSONWriter()
        writer.layout = .indented
        writer.sortsMembers = false
        try write(writer.text(.object(object)) + "\n", to: name)
    }

    /// Gives a file a second name: a hard link, where the file system has any.
    ///
    /// - Returns: whether it did.
    func link(_ existing: String, as name: String) -> Bool { Glibc.link(existing, file(name)) == 0 }

    /// Writes `router.safetensors`: `router` `[layers × d]`, its row i for the i-th of the layers in the metadata.
    ///
    /// - Throws: as `WrittenFile.write(to:)`.
    func writeRouter(of dictionary: DictionaryToExport) throws {
        let configuration = dictionary.configuration
        let metadata = [
            "layers": configuration.layers.map(String.init).joined(separator: ","),
            "routing": configuration.routing.rawValue,
            "aggregation": configuration.aggregation.rawValue,
            "input": RoutingGuide.input(configuration),
        ]
        try WrittenFile(
            dictionary: dictionary, tensors: [WrittenTensor("router", routerOf: dictionary)], metadata: metadata
        )
        .write(to: file("router.safetensors"))
    }

    /// Writes `sparsity.safetensors` as SAELens's trainer does, if the firing rates are known: log₁₀ of the rate plus
    /// 1e-10, by latent.
    ///
    /// - Throws: `ExportRefusal` for rates that are none; as `WrittenFile.write(to:)`.
    func writeSparsity(of dictionary: DictionaryToExport) throws {
        guard let rates = dictionary.firingRates else { return }
        guard rates.count == dictionary.configuration.latents, rates.allSatisfy({ (0...1).contains($0) }) else {
            throw ExportRefusal(
                "\(dictionary.label): its firing rates are not \(dictionary.configuration.latents) numbers of 0 … 1; "
                    + "run routesae verify on its catalog")
        }
        let logarithms = rates.map { Float(log10($0 + SAELensFormat.rateFloor)) }
        try WrittenFile(dictionary: dictionary, tensors: [WrittenTensor("sparsity", logarithms)])
            .write(to: file("sparsity.safetensors"))
    }
}
