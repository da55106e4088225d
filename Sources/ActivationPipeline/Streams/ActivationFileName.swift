import Foundation

/// The name of one file of several: `PREFIX-00001-of-00003.safetensors`.
struct ActivationFileName: Equatable {
    /// What all files of an export begin with, folder included.
    let prefix: String
    /// The file's number, from 0.
    let index: Int
    /// How many files there are.
    let count: Int

    init(prefix: String, index: Int, count: Int) {
        self.prefix = prefix
        self.index = index
        self.count = count
    }

    /// Reads a name; nil for one of another form.
    init?(path: String) {
        guard let match = path.wholeMatch(of: /(?s)(.*)-([0-9]{5})-of-([0-9]{5})\.safetensors/),
            let index = Int(match.2), let count = Int(match.3), index < count
        else { return nil }
        self.init(prefix: String(match.1), index: index, count: count)
    }

    /// The whole name.
    var path: String {
        "\(prefix)-\(ActivationFileName.digits(index))-of-\(ActivationFileName.digits(count)).safetensors"
    }

    /// The common prefix of an export's files: the output, `.safetensors` left off.
    static func prefix(_ output: String) -> String {
        output.hasSuffix(".safetensors") ? String(output.dropLast(".safetensors".count)) : output
    }

    /// The files of this form in the folder of a path, by name; none where there is no such folder.
    static func all(beside path: String) -> [ActivationFileName] {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        return names.sorted().compactMap { ActivationFileName(path: folder + $0) }
    }

    private static func digits(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
}
