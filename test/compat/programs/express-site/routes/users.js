// Users: one is made, and the client is sent to it.
var express = require('express');
var router = express.Router();

router.get('/:name', function (req, res) {
  res.json({ name: req.params.name, query: req.query });
});

router.post('/', function (req, res) {
  res.redirect(303, '/users/' + encodeURIComponent(req.body.name));
});

module.exports = router;
