#!/usr/bin/env python3
"""Every rule of tidy.py is shown to fail on what it forbids and to pass what it allows."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tidy  # noqa: E402


def rules(path, text):
    return [f.rule for f in tidy.check_code(path, text)]


class Functions(unittest.TestCase):
    def test_counts_only_long_bodies(self):
        long_body = "int f(int x) {\n" + "    x += 1;\n" * 70 + "    return x;\n}\n"
        self.assertIn("function-length", rules("src/a/b.cpp", long_body))
        self.assertNotIn("function-length", rules("src/a/b.cpp", "int f() {\n    return 1;\n}\n"))

    def test_sees_methods_constructors_and_templates(self):
        body = "    g();\n" * 71
        cases = [
            "namespace n {\nclass C {\n    void m() const override {\n%s    }\n};\n}\n",
            "C::C(int a) : a_(a), b_{a} {\n%s}\n",
            "template <class T>\nauto f(T t) -> decltype(t) {\n%s}\n",
            "namespace {\nstruct S {\n    S() noexcept {\n%s    }\n};\n}\n",
        ]
        for case in cases:
            self.assertIn("function-length", rules("src/a/b.cpp", case % body), case)

    def test_ignores_long_tables_and_classes(self):
        table = "constexpr int kTable[] = {\n" + "    1,\n" * 100 + "};\n"
        klass = "class C {\n" + "    int x;\n" * 100 + "};\n"
        self.assertEqual(rules("src/a/b.cpp", table + klass), [])


class Lambdas(unittest.TestCase):
    def test_capturing_coroutine_is_refused(self):
        bad = "auto f = [x](int y) -> Task<> {\n    co_await g(x, y);\n};\n"
        self.assertIn("lambda-coroutine", rules("src/a/b.cpp", "void h() {\n" + bad + "}\n"))

    def test_empty_capture_and_plain_lambda_pass(self):
        fine = ("Task<> h() {\n    auto f = [](int y) -> Task<> { co_await g(y); };\n"
                "    auto n = [&] { return 1; };\n    int a[3] = {1};\n    co_await f(n());\n}\n")
        self.assertNotIn("lambda-coroutine", rules("src/a/b.cpp", fine))


class Names(unittest.TestCase):
    def test_banned_calls_and_their_homes(self):
        self.assertIn("banned", rules("src/http/x.cpp", "int n = std::stoi(s);\n"))
        self.assertIn("banned", rules("src/http/x.cpp", "co_spawn(e, t(), asio::detached);\n"))
        self.assertEqual([], rules("src/async/x.cpp", "co_spawn(e, t(), asio::detached);\n"))

    def test_the_environment_is_read_by_app_and_tests_only(self):
        code = 'auto v = std::getenv("X");\n'
        self.assertIn("banned", rules("src/http/x.cpp", code))
        self.assertEqual([], rules("src/app/x.cpp", code))
        self.assertEqual([], rules("src/http/x_test.cpp", code))

    def test_comments_and_strings_do_not_count(self):
        self.assertEqual([], rules("src/a/b.cpp", '// std::regex\nauto s = "std::regex";\n'))
        self.assertEqual([], rules("src/a/b.cpp", 'auto s = R"(std::stoi(x) {)";\nint a = 1\'0;\n'))


class Includes(unittest.TestCase):
    TABLE = {"base": set(), "http": {"base"}, "app": {"*"}}

    def test_upward_and_relative_includes_are_refused(self):
        found = list(tidy.check_includes("src/base/x.h", '#include "http/y.h"\n', self.TABLE))
        self.assertEqual([f.rule for f in found], ["include"])
        self.assertTrue(list(tidy.check_includes("src/http/x.h", '#include "../y.h"\n',
                                                 self.TABLE)))
        self.assertFalse(list(tidy.check_includes("src/http/x.h", '#include "base/y.h"\n',
                                                  self.TABLE)))

    def test_cycles_are_found(self):
        self.assertEqual(tidy.cycles(self.TABLE), [])
        self.assertTrue(tidy.cycles({"a": {"b"}, "b": {"a"}}))


class Tree(unittest.TestCase):
    def test_a_bad_tree_fails_and_an_exception_needs_a_reason(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "tools/tidy").mkdir(parents=True)
            (root / "tools/tidy/rooms.txt").write_text("base:\n")
            (root / "src/base").mkdir(parents=True)
            (root / "src/base/utils.h").write_text("// TODO" + " later" * 20 + "\n")
            subprocess.run(["git", "init", "-q", "."], cwd=root, check=True)
            found = {f.rule for f in tidy.check_tree(root)}
            self.assertEqual(found, {"name", "unfinished", "line-length", "dead-header", "readme"})
            (root / "tools/tidy/allow.txt").write_text("name src/base/utils.h\n")
            with self.assertRaises(SystemExit):
                tidy.check_tree(root)


if __name__ == "__main__":
    unittest.main()
