// The home page, and one that fails.
var express = require('express');
var router = express.Router();

router.get('/hello', function (req, res) {
  res.cookie('seen', 'yes', { httpOnly: true });
  var address = req.ip.replace('::ffff:', '');
  res.send('<p>Hello from ' + address + ' by ' + req.protocol + ', cookie ' + req.cookies.name + '</p>');
});

router.get('/broken', function () {
  throw new Error('on purpose');
});

module.exports = router;
