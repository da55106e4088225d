import ActivationPipeline
import Foundation
import TestSupport
import Testing

@Suite struct OutputFileTests {
    private func problem(_ path: String, overwriting: Bool = false, inputs: [String] = []) -> WorkflowError? {
        do throws(WorkflowError) { try OutputFile.check(path, overwriting: overwriting, inputs: inputs) } catch {
            return error
        }
        return nil
    }

    @Test("A file that cannot be written is refused before the work begins")
    func findsBeforehandWhatWouldFailAtTheEnd() throws {
        let directory = try TemporaryDirectory()
        let there = directory.file("there")
        try "x".write(toFile: there, atomically: true, encoding: .utf8)
        #expect(problem(directory.file("new")) == nil)
        #expect(problem(there, overwriting: true) == nil)
        #expect(
            problem(there) == .cannotWrite(path: there, problem: "exists already; add `overwriting` to replace it"))
        #expect(
            problem(directory.path, overwriting: true)
                == .cannotWrite(path: directory.path, problem: "is a folder; name a file"))
        let lost = directory.file("none/new")
        #expect(problem(lost) == .cannotWrite(path: lost, problem: "its folder is not there; make it first"))
    }

    @Test("A file name has to leave room for the suffix of its partial file")
    func aNameLeavesRoomForWhatIsPutBehindIt() throws {
        let directory = try TemporaryDirectory()
        #expect(problem(directory.file(String(repeating: "n", count: 247))) == nil)
        let long = directory.file(String(repeating: "ä", count: 124))
        #expect(
            problem(long) == .cannotWrite(path: long, problem: "the name is too long (248 bytes, 247 are possible)"))
    }

    @Test func neverReplacesAnInput() throws {
        let directory = try TemporaryDirectory()
        let input = directory.file("input")
        try "x".write(toFile: input, atomically: true, encoding: .utf8)
        let link = directory.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: input)
        for path in [input, link, directory.path + "/./input"] {
            guard case .refused = problem(path, overwriting: true, inputs: [input]) else {
                Issue.record("\(path) was taken")
                continue
            }
        }
    }
}
